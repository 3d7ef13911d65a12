import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FleetMember } from "../google/member.ts";

/** `fleet.json`: where everything of a running sandbox is. */
export interface FleetFile {
  readonly project: string;
  readonly meshId: string;
  readonly containerEndpoint: string;
  readonly secretManagerEndpoint: string;
  readonly computeEndpoint: string;
  readonly projectEndpoint: string;
  readonly pubsubEmulatorHost: string;
  readonly topics: { readonly clusterEvents: string; readonly rotation: string };
  readonly accessTokenFile: string;
  readonly controlUrl: string;
  readonly logDir: string;
  /** Paths of the sandbox's own. */
  readonly clients: { readonly kubectl: string; readonly istioctl: string };
  readonly functions: Readonly<Record<string, string>>;
  /** Istio's names of the VPC networks. */
  readonly networks: readonly string[];
  readonly members: readonly FleetFileMember[];
}

export interface FleetFileMember extends FleetMember {
  /** Of the sidecars of clients that send requests. */
  readonly proxies: readonly FleetProxy[];
}

export interface FleetProxy {
  readonly pod: string;
  /** `GET /clusters` of its Envoy's admin port. */
  readonly clusters: string;
}

export interface FleetWriter {
  /**
   * Readers see the old file or the new one, never a part of one; writes happen in the order of the calls.
   */
  write(fleet: FleetFile): Promise<void>;
  remove(): Promise<void>;
}

export function fleetWriter(directory: string): FleetWriter {
  const path = join(directory, "fleet.json");
  let last = Promise.resolve();
  const inTurn = (work: () => Promise<void>) => {
    last = last.then(work, work);
    return last;
  };
  return {
    write: (fleet) =>
      inTurn(async () => {
        const fresh = `${path}.${process.pid}.tmp`;
        await writeFile(fresh, `${JSON.stringify(fleet, null, 2)}\n`);
        await rename(fresh, path);
      }),
    remove: () => inTurn(() => rm(path, { force: true })),
  };
}
