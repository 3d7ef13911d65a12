import { Command, Option } from "commander";
import pin from "../shared/istio/pin.json" with { type: "json" };
import { VERSION } from "../shared/version.ts";
import type { CliCommand, Invocation } from "./command.ts";
import { check } from "./commands/check.ts";
import { completion } from "./commands/completion.ts";
import { doctor } from "./commands/doctor.ts";
import { drain, undrain } from "./commands/drain.ts";
import { explain } from "./commands/explain.ts";
import { join } from "./commands/join.ts";
import { label } from "./commands/label.ts";
import { leave } from "./commands/leave.ts";
import { open } from "./commands/open.ts";
import { pause, resume } from "./commands/pause.ts";
import { plan } from "./commands/plan.ts";
import { root } from "./commands/root/root.ts";
import { rotate } from "./commands/rotate.ts";
import { status } from "./commands/status.ts";
import { sync } from "./commands/sync.ts";
import { upgrade } from "./commands/upgrade.ts";
import { FORMATS, type Format } from "./format.ts";
import type { MeshChoice } from "./settings.ts";

/** In the order of the help. */
const COMMANDS: readonly CliCommand[] = [
  status,
  plan,
  sync,
  upgrade,
  rotate,
  root,
  label,
  join,
  leave,
  drain,
  undrain,
  pause,
  resume,
  open,
  check,
  doctor,
  explain,
  completion,
];

const CONFIGURATION = `
Configuration: the MESHJOIN_* environment variables of the functions (docs/reference/config.md). --mesh and --project win
over them. What is not set comes from ~/.config/meshjoin/config.yaml (or $XDG_CONFIG_HOME/meshjoin/config.yaml), of the
mesh that --mesh or MESHJOIN_MESH_ID names, or of the only one:
  meshes:
    prod:
      projects: [shop-prod, shop-prod-data]
      root_project: shop-security
Credentials: Application Default Credentials (gcloud auth application-default login).`;

const EXIT_CODES = `
Exit codes:
  0  done
  1  failed: running it again does not help, or a confirmation is missing
  2  wrong usage or configuration
  3  not finished: run the same command again later
  4  status --exit-code: the mesh is degraded
  5  status --exit-code: the mesh is broken`;

/** The options of every command. */
export interface Globals {
  readonly format: Format;
  readonly verbose: boolean;
  readonly choice: MeshChoice;
}

/** The whole command line; `take` gets the parsed command. */
export function createProgram(take: (invocation: Invocation, globals: Globals) => void): Command {
  const program = new Command("meshjoin")
    .description("Inspect and operate the mesh from your terminal, with the code that the functions run")
    .addOption(new Option("-o, --output <format>", "form of the result").choices(FORMATS).default("text"))
    .option("-v, --verbose", "also tell of each pair that was looked at, and what caused an error")
    .option("--mesh <MESH>", "a mesh of the configuration file, or a mesh ID")
    .option("--project <PROJECTS>", "projects whose clusters may be members, separated by commas")
    .version(
      `meshjoin ${VERSION} (Istio ${pin.release})`,
      "-V, --version",
      "show the version, and the Istio that it installs",
    )
    .helpCommand("help [command]", "show the help of a command")
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("after", `${CONFIGURATION}\n${EXIT_CODES}`);
  for (const command of COMMANDS) {
    command.addTo(program, (invocation) => {
      const options = program.opts<{ output: Format; verbose?: boolean } & MeshChoice>();
      const { output: format, verbose = false, ...choice } = options;
      take(invocation, { format, verbose, choice });
    });
  }
  return program;
}
