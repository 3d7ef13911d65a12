import { Argument, Command, Option } from "commander";
import { CLUSTER_FORMS } from "../shared/core/names.ts";
import pin from "../shared/istio/pin.json" with { type: "json" };
import { ROOT_ALGORITHMS, type RootAlgorithm } from "../shared/rotate/root-payload.ts";
import { ROOT_CONFIRMABLE, type RootConfirmable } from "../shared/rotate.ts";
import { VERSION } from "../shared/version.ts";
import { DEFAULT_REGION } from "./doctor/preflight/quotas.ts";
import { CONFIRMABLE, type Confirmable, FORMATS, type Format, type Order, type RootOrder } from "./order.ts";

/** Takes what was ordered and does it. */
export type Take = (order: Order, format: Format) => Promise<void> | void;

const EXIT_CODES = `
Exit codes:
  0  done
  1  failed: something is wrong that asking again does not mend, or a confirmation is missing
  2  wrong usage or configuration
  3  not finished: run the same command again later`;

const CONFIGURATION = `
Configuration: the MESHJOIN_* environment variables of the functions (docs/reference/config.md).
Credentials: Application Default Credentials (gcloud auth application-default login).`;

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}

interface ClusterFlag {
  readonly cluster?: string;
}

interface SyncFlags extends ClusterFlag {
  readonly deep?: boolean;
  readonly yes?: boolean;
  readonly confirm?: readonly Confirmable[];
}

interface RotateFlags extends ClusterFlag {
  readonly compromised?: boolean;
}

interface JoinFlags {
  readonly labelOnly?: boolean;
}

interface DoctorFlags {
  readonly preflight?: boolean;
  readonly region?: string;
  readonly url?: string;
}

interface OpenFlags {
  readonly url: string;
  readonly port: string;
}

/** The grammar of the command line. It neither reads nor writes anything until it is told to parse. */
export function createProgram(take: Take): Command {
  const program = new Command("meshjoin")
    .description("Shows and steers a mesh of GKE clusters: the same core as the functions, at your hands")
    .addOption(new Option("-o, --output <format>", "how to answer").choices(FORMATS).default("text"))
    .version(
      `meshjoin ${VERSION} (Istio ${pin.release})`,
      "-V, --version",
      "say the version, and the Istio that it installs",
    )
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("after", `${CONFIGURATION}\n${EXIT_CODES}`);
  const format = () => program.opts<{ output: Format }>().output;
  const onlyCluster = () =>
    new Option("--cluster <CLUSTER>", `only what is about this cluster: ${CLUSTER_FORMS}`);

  program
    .command("status")
    .description("show every member and every connection as it is now; writes nothing")
    .addHelpText("after", examples("meshjoin status", "meshjoin status --output json | jq '.pairs'"))
    .action(() => take({ command: "status" }, format()));

  program
    .command("plan")
    .description(
      "show what a sync without --deep would create, update and delete now, and why; writes nothing",
    )
    .addOption(onlyCluster())
    .addHelpText("after", examples("meshjoin plan", "meshjoin plan --cluster cn-shop-europe-west1-checkout"))
    .action(({ cluster }: ClusterFlag) => take({ command: "plan", ...given(cluster) }, format()));

  program
    .command("sync")
    .description("make the mesh what it should be; run again, it changes nothing")
    .addOption(onlyCluster())
    .option("--deep", "look at every field of Istio's objects, too, and take edits back")
    .option("--yes", "do also what asks for confirmation (MassLeave)")
    .addOption(
      new Option("--confirm <REASON...>", "act on findings of this reason, which alone it confirms").choices(
        CONFIRMABLE,
      ),
    )
    .addHelpText(
      "after",
      `\nWithout --yes it asks on a terminal; elsewhere it leaves undone what it would have to ask, and exits with 1.\n` +
        examples(
          "meshjoin sync",
          "meshjoin sync --cluster cn-shop-europe-west1-checkout",
          "meshjoin sync --yes",
          "meshjoin sync --confirm NotConfigured",
        ),
    )
    .action(({ cluster, deep = false, yes = false, confirm = [] }: SyncFlags) =>
      take({ command: "sync", ...given(cluster), deep, yes, confirm }, format()),
    );

  program
    .command("upgrade")
    .description(
      "bring the members to the Istio of this build, one after the other; stops at the first that fails",
    )
    .addOption(onlyCluster())
    .addHelpText(
      "after",
      "\nA run begins no member that it might not see to its end: exit code 3 says that some are left.\n" +
        examples("meshjoin upgrade", "meshjoin upgrade --cluster cn-shop-europe-west1-checkout"),
    )
    .action(({ cluster }: ClusterFlag) => take({ command: "upgrade", ...given(cluster) }, format()));

  program
    .command("rotate")
    .description("replace intermediate CAs, a share of the members at a time; stops at the first that fails")
    .addOption(onlyCluster())
    .option("--compromised", "all at once: they are not to be trusted any more")
    .addHelpText(
      "after",
      "\nAn intermediate that was stolen stays trusted until it expires or the root is rotated: meshjoin root rotate.\n" +
        examples("meshjoin rotate", "meshjoin rotate --cluster cn-shop-europe-west1-checkout --compromised"),
    )
    .action(({ cluster, compromised = false }: RotateFlags) =>
      take({ command: "rotate", ...given(cluster), compromised }, format()),
    );

  addRootCommands(program, (root) => take({ command: "root", root }, format()));

  program
    .command("label")
    .description("set the mesh label of a cluster, beside its others, and leave the rest to the functions")
    .addArgument(new Argument("<CLUSTER>", CLUSTER_FORMS))
    .addHelpText(
      "after",
      "\nIt needs no more than to read the cluster and change its labels, and no built manifest. A cluster with the label\n" +
        "already stays as it is; one with another mesh's is refused. gcloud's --update-labels replaces all labels instead.\n" +
        examples(
          "meshjoin label cn-shop-europe-west1-checkout",
          "meshjoin label projects/shop/locations/europe-west1/clusters/checkout",
        ),
    )
    .action((cluster: string) => take({ command: "label", cluster }, format()));

  program
    .command("join")
    .description("set the mesh label of a cluster and make it a member, from this machine")
    .addArgument(new Argument("<CLUSTER>", CLUSTER_FORMS))
    .option("--label-only", "leave the rest to the functions: meshjoin label")
    .addHelpText(
      "after",
      examples(
        "meshjoin join cn-shop-europe-west1-checkout",
        "meshjoin join projects/shop/locations/europe-west1/clusters/checkout",
      ),
    )
    .action((cluster: string, { labelOnly = false }: JoinFlags) =>
      take({ command: labelOnly ? "label" : "join", cluster }, format()),
    );

  program
    .command("leave")
    .description("take the mesh label off a cluster and remove what the members hold of it")
    .addArgument(new Argument("<CLUSTER>", CLUSTER_FORMS))
    .addHelpText(
      "after",
      "\nThe cluster keeps its istiod and its CA, which the members trust until it expires or the root is rotated.\n" +
        examples("meshjoin leave cn-shop-europe-west1-checkout"),
    )
    .action((cluster: string) => take({ command: "leave", cluster }, format()));

  program
    .command("open")
    .description("serve the page of the mesh on this machine, as a service account, until Ctrl-C")
    .requiredOption("--url <URL>", "address of the function sync-mesh")
    .option("--port <PORT>", "where to serve it; 0 takes any that is free", "8080")
    .addHelpText(
      "after",
      "\nYour credentials need run.invoker on the function, and must be a service account's, impersonated or not:\n" +
        "  gcloud auth application-default login --impersonate-service-account=ACCOUNT\n" +
        examples("meshjoin open --url https://sync-mesh-1234567890.europe-west1.run.app"),
    )
    .action(({ url, port }: OpenFlags) => take({ command: "open", url, port }, format()));

  program
    .command("doctor")
    .description(
      "check configuration, permissions and reachability; names the command that mends what is missing",
    )
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
    .addHelpText(
      "after",
      `\nExit codes: 0 no fault, 1 a fault, 2 a faulty configuration, 3 no fault, but something could not be looked at.\n` +
        `\n--preflight needs nothing that is deployed, and MESHJOIN_MESH_ID, MESHJOIN_PROJECTS and, for a mesh whose functions have a\n` +
        `project of their own, MESHJOIN_ROOT_PROJECT. It looks at login, billing, APIs, what you may do, policies of the\n` +
        `organization, quotas, and clusters that may join: their nodes' room and their Services, too. Google's own accounts,\n` +
        `and what options of Terraform need, it cannot look at: it ends with 3 at best.\n` +
        examples(
          "meshjoin doctor",
          "MESHJOIN_MESH_ID=prod MESHJOIN_PROJECTS=shop-prod meshjoin doctor --preflight",
          `meshjoin doctor --output json | jq '.checks[] | select(.state != "ok")'`,
        ),
    )
    .action(({ url, preflight = false, region }: DoctorFlags, command: Command) => {
      if (region !== undefined && !preflight) {
        command.error("error: option '--region <REGION>' cannot be used without option '--preflight'");
      }
      return take(
        preflight
          ? { command: "preflight", region: region ?? DEFAULT_REGION }
          : { command: "doctor", ...(url === undefined ? {} : { url }) },
        format(),
      );
    });

  return program;
}

interface AdvanceFlags {
  readonly without?: readonly string[];
  readonly confirm?: readonly RootConfirmable[];
}

/** The root CAs of the mesh have commands of their own. */
function addRootCommands(program: Command, take: (order: RootOrder) => Promise<void> | void): void {
  const root = program
    .command("root")
    .description("make, bring and rotate the root CA of the mesh")
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      "after",
      `\nA rotation has three stages: distribute (every member trusts the next root), switch (it signs), retire (the one\n` +
        `before leaves). Ticks of the function on-rotation-request move it on when a stage is over: every member was seen\n` +
        `to have it, and no certificate of the stage before can be alive. No command makes that shorter.\n` +
        examples(
          "meshjoin root init",
          "meshjoin root rotate",
          "meshjoin root status --output json | jq '.waitingFor'",
        ),
    );
  root
    .command("status")
    .description("show the versions of the root secret, the stage of a rotation and what it waits for")
    .action(() => take({ action: "status" }));
  root
    .command("init")
    .description("make the first root of the mesh, for ten years, and its secret")
    .addOption(
      new Option("--algorithm <ALGORITHM>", "of its key").choices(ROOT_ALGORITHMS).default("ec-p384"),
    )
    .action(({ algorithm }: { algorithm: RootAlgorithm }) => take({ action: "init", algorithm }));
  root
    .command("import")
    .description(
      "bring a root of your own: the first of the mesh, or the next one, to which a rotation begins",
    )
    .argument("<FILE>", "the root's PEM certificate, followed by its key; - reads standard input")
    .action((file: string) => take({ action: "import", file }));
  root
    .command("advance")
    .description("move the rotation on to its next stage, if this one is over; works while it is paused, too")
    .option(
      "--without <CLUSTER...>",
      "cluster IDs that are no members and will never come back: no stage of this rotation waits for them",
    )
    .addOption(
      new Option(
        "--confirm <REASON...>",
        "NotConfigured: no member is where this configuration does not look, though this rotation has looked there",
      ).choices(ROOT_CONFIRMABLE),
    )
    .addHelpText(
      "after",
      "\nWorkloads of a cluster that is named so, and runs all the same, are cut off when the old root leaves.\n" +
        examples("meshjoin root advance", "meshjoin root advance --without cn-shop-europe-west1-old"),
    )
    .action(({ without = [], confirm = [] }: AdvanceFlags) => take({ action: "advance", without, confirm }));
  for (const [action, description] of [
    ["rotate", "make the next root and begin a rotation to it"],
    ["pause", "keep ticks from moving the rotation on"],
    ["resume", "let ticks move the rotation on again"],
    ["abort", "take the rotation back the same way, as long as the old root has not left"],
  ] as const) {
    root
      .command(action)
      .description(description)
      .action(() => take({ action }));
  }
}

function given(cluster: string | undefined): ClusterFlag {
  return cluster === undefined ? {} : { cluster };
}
