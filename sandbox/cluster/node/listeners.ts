import { freePort } from "../../os/free-port.ts";

/** Flags of `pilot-discovery discovery` by the port that Istio's chart fixes for them. */
const FLAGS: ReadonlyMap<number, string> = new Map([
  [8080, "httpAddr"],
  [15010, "grpcAddr"],
  [15012, "secureGRPCAddr"],
  [15014, "monitoringAddr"],
  [15017, "httpsAddr"],
]);

/** Where `istioctl admin log` asks. */
const CTRLZ_PORT = 9876;

/** Where an istiod listens on this machine. */
export interface Listeners {
  /** Container port → port on 127.0.0.1. */
  readonly ports: ReadonlyMap<number, number>;
  /** The port on 127.0.0.1 of the one that istiod opens on its pod's loopback alone, {@link CTRLZ_PORT}. */
  readonly ctrlz: number;
}

export async function chooseListeners(): Promise<Listeners> {
  const ports = new Map<number, number>();
  for (const port of FLAGS.keys()) ports.set(port, await freePort());
  return { ports, ctrlz: await freePort() };
}

/** As a process in the pod reaches them. */
export function loopbackPorts({ ports, ctrlz }: Listeners): ReadonlyMap<number, number> {
  return new Map([...ports, [CTRLZ_PORT, ctrlz]]);
}

export function listenerFlags({ ports, ctrlz }: Listeners): string[] {
  const flags = [...FLAGS].map(([port, flag]) => `--${flag}=127.0.0.1:${ports.get(port)}`);
  return [...flags, `--ctrlz_port=${ctrlz}`, "--ctrlz_address=127.0.0.1"];
}
