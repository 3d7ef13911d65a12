import { networkInterfaces } from "node:os";

/** The first IPv4 address of this machine that is not loopback; undefined where it has none. */
export function hostAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal)?.address;
}
