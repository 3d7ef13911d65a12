import { count } from "../../shared/core/count.ts";
import type { Member } from "../../shared/core/member/observation.ts";
import type { ReconcileRequest } from "../../shared/core/request.ts";
import { lookAtMesh } from "../../shared/look/mesh.ts";
import { preview } from "../../shared/preview.ts";
import { reconcile } from "../../shared/reconcile.ts";
import { asIf } from "../as-if.ts";
import { clusterArgument, command } from "../command.ts";
import { mergedServices, servicesOf } from "../doctor/merged-services.ts";
import { EXIT } from "../exit-code.ts";
import { type Foresight, showForesight } from "../grave-command.ts";
import { showJoined } from "../joined.ts";
import { setMeshLabel, withMeshLabel } from "../mesh-label.ts";
import { namesIn } from "../mesh-names.ts";
import { exitCodeIf } from "../reconciled.ts";
import type { Names } from "../screen.ts";
import type { Session } from "../session.ts";
import { labelOnly } from "./label.ts";

interface JoinOptions {
  readonly labelOnly?: boolean;
  readonly dryRun?: boolean;
}

export const join = command<JoinOptions>({
  name: "join",
  description: "set the mesh label of a cluster and make it a member, from this machine",
  declare: (bare) =>
    bare
      .addArgument(clusterArgument())
      .option("--label-only", "set the label alone; the functions do the rest, as with meshjoin label")
      .option(
        "--dry-run",
        "show what would happen, and Services that other members have, too; writes nothing",
      ),
  examples: [
    "meshjoin join cn-shop-europe-west1-checkout",
    "meshjoin join checkout --dry-run",
    "meshjoin join projects/shop/locations/europe-west1/clusters/checkout",
  ],
  async run(session, options, name: string) {
    if (options.dryRun === true) {
      showForesight(session, await foresee(session, name));
      return EXIT.done;
    }
    if (options.labelOnly === true) return await labelOnly(session, name);
    const { reconciled, joiner } = await session.withRun(async (run) => {
      const { id, cluster, label, changed } = await setMeshLabel(run, name);
      session.say(
        `${id} ${changed ? "is now labelled" : "is labelled already:"} ${label.key}=${label.value}`,
      );
      return { reconciled: await reconcile(run, requestOf(id), [cluster]), joiner: id };
    });
    return exitCodeIf(await showJoined(session, reconciled, joiner), reconciled);
  },
});

function requestOf(id: string): ReconcileRequest {
  return { scope: { clusterId: id }, reason: "join" };
}

async function foresee(session: Session, name: string): Promise<Foresight> {
  return await session.withRun(async (run) => {
    const { id, cluster: joiner, label, changed } = await withMeshLabel(run, name);
    const supposed = asIf(run, joiner);
    const mesh = await lookAtMesh(supposed, "mesh", { known: [joiner] });
    const names = namesIn(mesh.members, joiner);
    const others = mesh.members.filter((member) => member.clusterId !== id);
    const services = await servicesOf(run.ports.fleet, [joiner, ...others.map(({ cluster }) => cluster)]);
    const effects = [
      `${names(id)} ${changed ? "gets the label" : "has the label already:"} ${label.key}=${label.value}.`,
      `It joins ${count(others.length, "other member")}${others.length === 0 ? "" : ` (${others.map((member) => names(member.clusterId)).join(", ")})`}.`,
      mergesOf(id, services, names),
      ...unreadOf(mesh.members, services, names),
    ];
    return { effects, plan: await preview(supposed, requestOf(id), mesh), names };
  });
}

/** Of the Services that the joiner has, those that it shares from then on. */
function mergesOf(id: string, services: Awaited<ReturnType<typeof servicesOf>>, names: Names): string {
  const merged = mergedServices(services).filter(({ clusterIds }) => clusterIds.includes(id));
  if (merged.length === 0) return "No Service of it has the name of one that another member has.";
  const named = merged.map(({ service, clusterIds }) => {
    const peers = clusterIds.filter((each) => each !== id).map(names);
    return `  ${service} with ${peers.join(", ")}`;
  });
  return [
    "These Services become one with those of the same name (to keep one apart: docs/joined-and-now.md):",
    ...named,
  ].join("\n");
}

function unreadOf(
  members: readonly Member[],
  services: Awaited<ReturnType<typeof servicesOf>>,
  names: Names,
): string[] {
  const unread = members.filter(({ clusterId }) => !services.has(clusterId));
  if (unread.length === 0) return [];
  return [`Not known: the Services of ${unread.map(({ clusterId }) => names(clusterId)).join(", ")}.`];
}
