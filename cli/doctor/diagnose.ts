import { ConfigError } from "../../shared/errors.ts";
import type { Operator } from "../../shared/operator.ts";
import type { Host } from "../host.ts";
import { BUILD_COMMAND, manifestFault } from "../manifest.ts";
import { type Check, type Diagnosis, fault, fine } from "./check.ts";
import { checkCredentials, checkProject, checkRoot } from "./google.ts";
import { checkMembers } from "./members.ts";

/** Looks at everything that a run stands on, and writes nothing. Without configuration or credentials there is no more to see. */
export async function diagnose(host: Host): Promise<Diagnosis> {
  const configured = configure(host);
  if ("faults" in configured) return conclude(configured.faults);
  const { operator } = configured;
  const { spec } = operator;
  const ports = await operator.open();
  try {
    const [manifest, { check: credentials, email }] = await Promise.all([
      checkManifest(host, operator),
      checkCredentials(ports),
    ]);
    const first = [
      fine({ check: "configuration" }, `mesh ${spec.meshId}, ${spec.projects.join(", ")}`),
      manifest,
      credentials,
    ];
    if (!credentials.ok) return conclude(first);
    const [root, ...projects] = await Promise.all([
      checkRoot(ports, operator, email),
      ...spec.projects.map((project) => checkProject(ports, spec, project, email)),
    ]);
    const members = projects.flatMap((project) => project.members);
    return conclude([
      ...first,
      root,
      ...projects.map(({ check }) => check),
      ...(await checkMembers(ports, spec, members, email)),
    ]);
  } finally {
    await ports.fleet.close();
  }
}

function conclude(checks: readonly Check[]): Diagnosis {
  return { ok: checks.every(({ ok }) => ok), checks };
}

type Configured = { readonly operator: Operator } | { readonly faults: readonly Check[] };

/** Every fault of a configuration stands on a line of its own, with its cure. */
function configure(host: Host): Configured {
  try {
    return { operator: host.operator() };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [first = "", ...lines] = error.message.split("\n");
    const faults = lines.length === 0 ? [first] : lines;
    return { faults: faults.map((line) => fault({ check: "configuration" }, line.trim())) };
  }
}

async function checkManifest({ manifest }: Host, { inSandbox }: Operator): Promise<Check> {
  const subject = { check: "manifest" } as const;
  const missing = (await manifest.renderer()) === undefined;
  if (missing && (inSandbox || manifest.buildsRelease)) return fine(subject, "is built when it is needed");
  const wrong = await manifestFault(manifest, inSandbox);
  return wrong === undefined
    ? fine(subject, "dist/ holds one that fits")
    : fault(subject, wrong, BUILD_COMMAND);
}
