/** What a person has asked for: the command line, understood. */
export type Order =
  | { readonly command: "status" }
  | { readonly command: "plan"; readonly cluster?: string }
  | {
      readonly command: "sync";
      readonly cluster?: string;
      readonly deep: boolean;
      readonly yes: boolean;
    }
  | { readonly command: "upgrade"; readonly cluster?: string }
  | { readonly command: "join"; readonly cluster: string }
  | { readonly command: "leave"; readonly cluster: string }
  | { readonly command: "open"; readonly url: string; readonly port: string }
  | { readonly command: "doctor" };

/** `json`: one line of it, alone on standard output. */
export const FORMATS = ["text", "json"] as const;
export type Format = (typeof FORMATS)[number];
