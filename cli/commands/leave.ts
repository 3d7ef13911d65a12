import { count } from "../../shared/core/count.ts";
import { isReachable } from "../../shared/core/member/observation.ts";
import type { ReconcileRequest } from "../../shared/core/request.ts";
import { sentenceTime } from "../../shared/core/time.ts";
import { lookAtMesh } from "../../shared/look/mesh.ts";
import { preview } from "../../shared/preview.ts";
import { reconcile } from "../../shared/reconcile.ts";
import { asIf } from "../as-if.ts";
import { clusterArgument } from "../command.ts";
import { type Foresight, graveCommand } from "../grave-command.ts";
import { showLeft } from "../left.ts";
import { removeMeshLabel, withoutMeshLabel } from "../mesh-label.ts";
import { namesIn } from "../mesh-names.ts";
import { exitCodeIf } from "../reconciled.ts";
import type { Session } from "../session.ts";

export const leave = graveCommand<object, string>({
  name: "leave",
  description: "take the mesh label off a cluster and remove the members' credentials of it",
  declare: (bare) => bare.addArgument(clusterArgument()),
  notes:
    "The cluster keeps its istiod, its ingress and its CA, which the members trust until it expires or the root is rotated.",
  examples: ["meshjoin leave checkout", "meshjoin leave cn-shop-europe-west1-checkout --yes"],
  foresee: async (session, _, name: string) => await foresee(session, name),
  async run(session, { shown }, name: string) {
    const { reconciled, leaver } = await session.withRun(async (run) => {
      const { id, cluster, changed } = await removeMeshLabel(run, shown ?? name);
      session.say(`${id} ${changed ? "has lost the" : "has no"} label ${run.spec.meshLabel}`);
      return { reconciled: await reconcile(run, requestOf(id), [cluster]), leaver: cluster };
    });
    return exitCodeIf(await showLeft(session, reconciled, leaver), reconciled);
  },
});

function requestOf(id: string): ReconcileRequest {
  return { scope: "mesh", reason: "leave", leaving: [id] };
}

async function foresee(session: Session, cluster: string): Promise<Foresight<string>> {
  return await session.withRun(async (run) => {
    const { id, cluster: leaver, changed } = await withoutMeshLabel(run, cluster);
    const supposed = asIf(run, leaver);
    const mesh = await lookAtMesh(supposed, "mesh", { known: [leaver] });
    const plan = await preview(supposed, requestOf(id), mesh);
    const names = namesIn(mesh.members, leaver);
    const peers = mesh.members
      .filter(isReachable)
      .filter(({ state }) =>
        state.remoteSecrets.some(({ owner, targetId }) => owner === "ours" && targetId === id),
      );
    const unseen = mesh.members.filter((member) => !isReachable(member)).length;
    const effects = [
      changed
        ? `This takes ${names(id)} out of the mesh: ${loses(peers.map(({ clusterId }) => names(clusterId)))}.`
        : `${names(id)} has no label ${run.spec.meshLabel} any more: ${loses(peers.map(({ clusterId }) => names(clusterId)))}.`,
      ...(unseen === 0
        ? []
        : [`${count(unseen, "member")} cannot be reached, and may hold credentials of it.`]),
      ...(run.spec.ingress === "off"
        ? []
        : ["Its ingress stays as it is, and reaches no other cluster any more."]),
      trustOf(mesh.leavers.find(({ clusterId }) => clusterId === id)?.state),
      ...plan.findings.filter(({ severity }) => severity === "error").map(({ message }) => `But ${message}.`),
    ];
    return { effects, plan, names, shown: id };
  });
}

function loses(peers: readonly string[]): string {
  return peers.length === 0
    ? "no peer reads it"
    : `${count(peers.length, "peer loses", "peers lose")} its endpoints (${peers.join(", ")})`;
}

type State = Awaited<ReturnType<typeof lookAtMesh>>["leavers"][number]["state"];

function trustOf(state: State | undefined): string {
  const cacerts = state?.reachable === true ? state.cacerts : undefined;
  const until = cacerts === undefined || cacerts.owner === "foreign" ? undefined : cacerts.notAfter;
  return until === undefined
    ? "A CA that it holds stays trusted until that expires, or the root is rotated."
    : `Its CA stays trusted until ${sentenceTime(until.toISOString())}.`;
}
