import { type Check, type Diagnosis, fault, fine } from "../../shared/core/answers/check.ts";
import { sourceIds } from "../../shared/core/cluster/sources.ts";
import { checkCredentials } from "../../shared/doctor/credentials.ts";
import { checkRoot } from "../../shared/doctor/google.ts";
import { callersGrants } from "../../shared/doctor/grants.ts";
import { checkMembership } from "../../shared/doctor/lost.ts";
import { checkMembers } from "../../shared/doctor/members.ts";
import type { Operator } from "../../shared/operator.ts";
import type { Host } from "../host.ts";
import { BUILD_COMMAND, manifestFault } from "../manifest.ts";
import { CONFIGURATION, configure } from "./configure.ts";
import { checkDnsCapture } from "./dns-capture.ts";
import { checkDrains } from "./drains.ts";
import { checkFailover } from "./failover.ts";
import { checkFirewalls } from "./firewall.ts";
import { checkGatewayFirewalls } from "./gateway-firewall.ts";
import { checkIngress } from "./ingress.ts";
import { checkMergedServices } from "./merged-services.ts";
import { checkNetwork } from "./network.ts";
import { checkPrivateEndpoints } from "./private-endpoints.ts";
import { checkProxies } from "./proxies.ts";
import { checkPassing } from "./requests.ts";

/** For the lists of all sources, and for clusters that are no members and may have been. */
const ASKING_MS = 60_000;

/** Checks all needs of a run, and writes nothing. Stops at a fault of configuration or credentials. */
export async function diagnose(host: Host): Promise<Diagnosis> {
  const configured = configure(host);
  if ("faults" in configured) return { checks: configured.faults };
  const { operator } = configured;
  const { spec, signerUrl } = operator;
  const ports = await operator.open();
  try {
    const [manifest, { check: credentials, email }] = await Promise.all([
      checkManifest(host, operator),
      checkCredentials(ports.caller),
    ]);
    const first = [
      fine(CONFIGURATION, `mesh ${spec.meshId}, ${sourceIds(spec).join(", ")}`),
      manifest,
      credentials,
    ];
    if (credentials.state !== "ok") return { checks: first };
    const grants = callersGrants(email);
    const [root, { checks, members, isComplete }] = await Promise.all([
      checkRoot(ports, { spec, signerUrl, grants }),
      checkMembership(ports, spec, grants, AbortSignal.timeout(ASKING_MS)),
    ]);
    return {
      checks: [
        ...first,
        root,
        ...checks,
        ...(await checkMembers(ports, members, { spec, grants, deep: true, facts: true })),
        ...checkNetwork(members, isComplete, spec),
        ...(await checkPrivateEndpoints(ports.fleet, members, spec)),
        ...(await checkFirewalls(ports.firewalls, members)),
        ...(await checkGatewayFirewalls(ports, members, spec)),
        ...(await checkDrains(ports.fleet, members, spec)),
        ...(await checkMergedServices(ports.fleet, members)),
        ...(await checkFailover(ports.fleet, members, spec)),
        ...(await checkIngress(ports.fleet, members, spec)),
        ...(await checkDnsCapture(ports.fleet, members, spec)),
        ...(manifest.state === "ok" ? await checkPassing(operator) : []),
        ...(manifest.state === "ok" ? await checkProxies(operator, members) : []),
      ],
    };
  } finally {
    await ports.fleet.close();
  }
}

async function checkManifest({ manifest }: Host, { inSandbox }: Operator): Promise<Check> {
  const subject = { name: "manifest", account: "caller" } as const;
  const missing = (await manifest.renderer()) === undefined;
  if (missing && (inSandbox || manifest.buildsRelease))
    return fine(subject, "a run builds it when it needs it");
  const problem = await manifestFault(manifest, inSandbox);
  return problem === undefined
    ? fine(subject, "dist/ holds a fit one")
    : fault(subject, problem, BUILD_COMMAND);
}
