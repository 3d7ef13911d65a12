import { spawn } from "node:child_process";
import { once } from "node:events";
import { env } from "node:process";
import { createInterface } from "node:readline";
import type { FleetMember } from "../../../sandbox/google/member.ts";
import { kubectlPath } from "./kubectl.ts";

/** kubectl tries WebSocket first, and SPDY where it is told so or an API server has nothing else. */
export type Protocol = "WebSocket" | "SPDY";

export interface Forwarding {
  /** Of this machine, for a port of istiod. */
  portOf(port: number): number | undefined;
  /** What kubectl has said so far. */
  said(): string;
  stop(): Promise<void>;
}

/** `kubectl port-forward` to istiod; it listens when this resolves. */
export async function forwardPorts(
  member: FleetMember,
  protocol: Protocol,
  ports: readonly number[],
): Promise<Forwarding> {
  const target = ["-n", "istio-system", "port-forward", "deployment/istiod"];
  const process = spawn(
    await kubectlPath(),
    ["--kubeconfig", member.kubeconfig, ...target, "--address=127.0.0.1", ...ports.map((port) => `:${port}`)],
    {
      env: { ...env, KUBECTL_PORT_FORWARD_WEBSOCKETS: String(protocol === "WebSocket") },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const exited = once(process, "exit");
  const lines: string[] = [];
  const local = new Map<number, number>();
  const stderr = createInterface(process.stderr);
  stderr.on("line", (line) => lines.push(line));
  for await (const line of createInterface(process.stdout)) {
    const [, here, there] = /^Forwarding from 127\.0\.0\.1:(\d+) -> (\d+)$/.exec(line) ?? [];
    if (here !== undefined) local.set(Number(there), Number(here));
    if (local.size === ports.length) break;
  }
  process.stdout.resume();
  return {
    portOf: (port) => local.get(port),
    said: () => lines.join("\n"),
    async stop() {
      process.kill();
      await exited;
    },
  };
}
