import type { RootAlgorithm } from "../shared/rotate/root-payload.ts";
import type { RootConfirmable } from "../shared/rotate.ts";

/** What a person has asked for: the command line, understood. */
export type Order =
  | { readonly command: "status" }
  | { readonly command: "plan"; readonly cluster?: string }
  | {
      readonly command: "sync";
      readonly cluster?: string;
      readonly deep: boolean;
      readonly yes: boolean;
      readonly confirm: readonly Confirmable[];
    }
  | { readonly command: "upgrade"; readonly cluster?: string }
  | { readonly command: "rotate"; readonly cluster?: string; readonly compromised: boolean }
  | { readonly command: "root"; readonly root: RootOrder }
  | { readonly command: "label"; readonly cluster: string }
  | { readonly command: "join"; readonly cluster: string }
  | { readonly command: "leave"; readonly cluster: string }
  | { readonly command: "open"; readonly url: string; readonly port: string }
  | { readonly command: "doctor"; readonly url?: string }
  | { readonly command: "preflight"; readonly region: string };

/** What a person may confirm to `sync`. Another version of Istio is no repair, so a sync never begins it. */
export const CONFIRMABLE = ["MassLeave", "NotConfigured"] as const;
export type Confirmable = (typeof CONFIRMABLE)[number];

/** What is ordered of the root CAs. */
export type RootOrder =
  | { readonly action: "status" | "pause" | "resume" | "abort" | "rotate" }
  | {
      readonly action: "advance";
      readonly without: readonly string[];
      readonly confirm: readonly RootConfirmable[];
    }
  | { readonly action: "init"; readonly algorithm: RootAlgorithm }
  | { readonly action: "import"; readonly file: string };

/** `json`: one line of it, alone on standard output. */
export const FORMATS = ["text", "json"] as const;
export type Format = (typeof FORMATS)[number];
