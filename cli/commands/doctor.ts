import { Option } from "commander";
import { type Diagnosis, worstState } from "../../shared/core/answers/check.ts";
import { command } from "../command.ts";
import { diagnose } from "../doctor/diagnose.ts";
import { functionsView } from "../doctor/functions-view.ts";
import { diagnoseProjects } from "../doctor/preflight/diagnose-projects.ts";
import { DEFAULT_REGION } from "../doctor/preflight/quotas.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { functionUrl } from "../function-url.ts";
import { renderDiagnosis } from "../render/diagnosis.ts";
import type { Session } from "../session.ts";

interface DoctorOptions {
  readonly url?: string;
  readonly preflight?: boolean;
  readonly region?: string;
}

export const doctor = command<DoctorOptions>({
  name: "doctor",
  description: "check configuration, permissions and reachability; prints the command that mends each fault",
  declare: (bare) =>
    bare
      .option("--url <URL>", "address of the function sync-mesh: also check the accounts of the functions")
      .addOption(
        new Option("--preflight", "before the first apply: check the projects instead").conflicts("url"),
      )
      .option(
        "--region <REGION>",
        `with --preflight: the region of the functions (default: "${DEFAULT_REGION}")`,
      )
      .hook("preAction", (parsed) => {
        const { region, preflight } = parsed.opts<DoctorOptions>();
        if (region === undefined || preflight === true) return;
        parsed.error("error: option '--region <REGION>' cannot be used without option '--preflight'");
      }),
  notes:
    "Exit codes: 0 no fault, 1 a fault, 2 a faulty configuration, 3 no fault, but a check could not be made.\n" +
    "\n--preflight works before anything is deployed. It needs MESHJOIN_MESH_ID, MESHJOIN_PROJECTS and, if the functions have\n" +
    "a project of their own, MESHJOIN_ROOT_PROJECT. It checks login, billing, APIs, your permissions, policies of the\n" +
    "organization, quotas, and the clusters that may join, with their nodes' room and their Services. It cannot check\n" +
    "Google's own accounts and the needs of Terraform's options, so it ends with 3 at best.",
  examples: [
    "meshjoin doctor",
    "MESHJOIN_MESH_ID=prod MESHJOIN_PROJECTS=shop-prod meshjoin doctor --preflight",
    `meshjoin doctor --output json | jq '.checks[] | select(.state != "ok")'`,
  ],
  async run(session, { url, preflight = false, region = DEFAULT_REGION }) {
    const diagnosis = preflight
      ? await diagnoseProjects(session.host, { region })
      : await diagnosisOf(session, url);
    session.show(diagnosis, renderDiagnosis);
    return exitCodeOf(diagnosis);
  },
});

async function diagnosisOf({ host }: Session, url: string | undefined): Promise<Diagnosis> {
  const target = url === undefined ? undefined : functionUrl(url);
  const [{ checks: own }, theirs] = await Promise.all([
    diagnose(host),
    target === undefined ? [] : functionsView(host, target),
  ]);
  return { checks: [...own, ...theirs] };
}

function exitCodeOf({ checks }: Diagnosis): ExitCode {
  const misconfigured = checks.some(({ name, state }) => name === "configuration" && state === "fault");
  if (misconfigured) return EXIT.usage;
  return { ok: EXIT.done, fault: EXIT.failed, unknown: EXIT.retry }[worstState(checks)];
}
