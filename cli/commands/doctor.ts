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
  description:
    "check configuration, permissions and reachability; names the command that mends what is missing",
  declare: (bare) =>
    bare
      .option(
        "--url <URL>",
        "address of the function sync-mesh: show also what the accounts of the functions can do",
      )
      .addOption(
        new Option("--preflight", "before the first apply: look at the projects instead").conflicts("url"),
      )
      .option(
        "--region <REGION>",
        `with --preflight: where Terraform puts the functions (default: "${DEFAULT_REGION}")`,
      )
      .hook("preAction", (parsed) => {
        const { region, preflight } = parsed.opts<DoctorOptions>();
        if (region === undefined || preflight === true) return;
        parsed.error("error: option '--region <REGION>' cannot be used without option '--preflight'");
      }),
  notes:
    "Exit codes: 0 no fault, 1 a fault, 2 a faulty configuration, 3 no fault, but something could not be looked at.\n" +
    "\n--preflight needs nothing that is deployed, and MESHJOIN_MESH_ID, MESHJOIN_PROJECTS and, for a mesh whose functions have a\n" +
    "project of their own, MESHJOIN_ROOT_PROJECT. It looks at login, billing, APIs, what you may do, policies of the\n" +
    "organization, quotas, and clusters that may join: their nodes' room and their Services, too. Google's own accounts,\n" +
    "and what options of Terraform need, it cannot look at: it ends with 3 at best.",
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
