import { Option } from "commander";
import type { Cluster } from "../../shared/core/cluster/cluster.ts";
import { updateClusterCommand } from "../../shared/core/cluster/gcloud.ts";
import { nonMemberReason } from "../../shared/core/cluster/membership.ts";
import { count } from "../../shared/core/count.ts";
import { type DrainState, MESH_STATE_LABEL, reasonFault } from "../../shared/core/member/drain.ts";
import { isReachable } from "../../shared/core/member/observation.ts";
import { clusterId } from "../../shared/core/names.ts";
import type { ReconcileRequest } from "../../shared/core/request.ts";
import { sentenceTime } from "../../shared/core/time.ts";
import { ConflictError, InputError, MeshjoinError, RefusedError } from "../../shared/errors.ts";
import { lookAtMesh, type Mesh } from "../../shared/look/mesh.ts";
import type { OperatorRun } from "../../shared/operator.ts";
import { pairContextOf } from "../../shared/plan/mesh.ts";
import { planContext } from "../../shared/plan-context.ts";
import { preview } from "../../shared/preview.ts";
import { type Reconciled, reconcile } from "../../shared/reconcile.ts";
import { scrub } from "../../shared/scrub.ts";
import { findCluster } from "../cluster.ts";
import { clusterArgument } from "../command.ts";
import { ANSWER_MS, uncovered } from "../drain-coverage.ts";
import { showDrained } from "../drained.ts";
import type { ExitCode } from "../exit-code.ts";
import { type Foresight, graveCommand, refusedBy } from "../grave-command.ts";
import { namesIn } from "../mesh-names.ts";
import { exitCodeIf } from "../reconciled.ts";
import type { Names } from "../screen.ts";
import type { Session } from "../session.ts";

interface DrainOptions {
  readonly reason?: string;
  readonly check?: boolean;
  readonly confirm?: readonly string[];
}

export const drain = graveCommand<DrainOptions, string>({
  name: "drain",
  description: "let the peers send a member no new requests, for maintenance or because it is dead",
  declare: (bare) =>
    bare
      .addArgument(clusterArgument())
      .option("--reason <TEXT>", "why, in one line; status and page show it")
      .option("--check", "say what the drain would not cover; writes nothing")
      .addOption(
        new Option(
          "--confirm <REASON...>",
          "drain more than MESHJOIN_DRAIN_SHARE allows, or the last of a network",
        ).choices(["MassDrain"]),
      ),
  notes:
    "It needs the peers' API servers alone. The member goes on sending requests to its peers. The drain lasts until\n" +
    "meshjoin undrain, whatever runs, restarts or rotates. Not covered: what enters the member itself, services that\n" +
    "only it has, and streams that are open.",
  examples: [
    'meshjoin drain checkout --reason "node upgrade"',
    "meshjoin drain checkout --check",
    "meshjoin drain checkout --yes",
  ],
  foresee: async (session, options, name: string) =>
    await session.withRun(async (run) => await foreseeDrain(run, options, name)),
  async run(session, options, name: string) {
    assertReason(options.reason);
    const { reconciled, target } = await session.withRun(async (run) => {
      const cluster = await memberNamed(run, options.shown ?? name);
      const request = await requestOf(run, cluster, "drained", options);
      return { reconciled: await reconcile(run, request, [cluster]), target: cluster };
    });
    return await ended(session, reconciled, target, "drained");
  },
});

export const undrain = graveCommand<object, string>({
  name: "undrain",
  description: "let the peers send a drained member requests again, a share of them at a time",
  declare: (bare) => bare.addArgument(clusterArgument()),
  notes: `It takes the label ${MESH_STATE_LABEL} off, too, and does nothing else if it may not.`,
  examples: ["meshjoin undrain checkout", "meshjoin undrain checkout --yes"],
  foresee: async (session, _, name: string) =>
    await session.withRun(async (run) => await foreseeUndrain(run, name)),
  async run(session, { shown }, name: string) {
    const { reconciled, target } = await session.withRun(async (run) => {
      const labelled = await memberNamed(run, shown ?? name);
      const cluster = await withoutStateLabel(run, labelled, session.say);
      const request = await requestOf(run, cluster, "serving", {});
      return { reconciled: await reconcile(run, request, [cluster]), target: cluster };
    });
    return await ended(session, reconciled, target, "serving");
  },
});

async function ended(
  session: Session,
  reconciled: Reconciled,
  target: Cluster,
  state: DrainState,
): Promise<ExitCode> {
  return exitCodeIf(await showDrained(session, reconciled, target, state), reconciled);
}

/** Fails as `findCluster` does, and with RefusedError if the cluster is no member. */
async function memberNamed(run: OperatorRun, name: string): Promise<Cluster> {
  const cluster = await findCluster(run, name);
  if (nonMemberReason(cluster, run.spec) === undefined) return cluster;
  throw new RefusedError(`${clusterId(cluster.ref)} is no member of mesh ${run.spec.meshId}`, {
    code: "NotAMember",
    cure: `meshjoin join ${clusterId(cluster.ref)}`,
  });
}

/** Fails with InputError: the reason stands in tables, on the page, and in every member. */
function assertReason(reason = ""): void {
  const fault = reasonFault(reason) ?? (scrub(reason) === reason ? undefined : "it must hold no secret");
  if (fault === undefined) return;
  throw new InputError(`the reason cannot be kept: ${fault}`, {
    code: "InvalidInput",
    cure: 'say it in a few words: --reason "node upgrade"',
    field: "--reason",
  });
}

async function requestOf(
  { ports }: OperatorRun,
  { ref }: Cluster,
  state: DrainState,
  { reason = "", confirm = [] }: DrainOptions,
): Promise<ReconcileRequest> {
  const account = (await ports.caller.email()) ?? "";
  const by = account === "" || reasonFault(account) !== undefined ? "a person" : account;
  const order = { clusterId: clusterId(ref), state, by, reason };
  return { scope: "mesh", reason: state === "drained" ? "drain" : "undrain", drain: order, confirm };
}

async function foreseeDrain(
  run: OperatorRun,
  options: DrainOptions,
  name: string,
): Promise<Foresight<string>> {
  assertReason(options.reason);
  const cluster = await memberNamed(run, name);
  const id = clusterId(cluster.ref);
  const request = await requestOf(run, cluster, "drained", options);
  const mesh = await lookAtMesh(run, "mesh", { known: [cluster], memberTimeoutMs: ANSWER_MS });
  const before = registerOf(run, mesh, { scope: "mesh", reason: "look" }).of(id);
  const { mass } = registerOf(run, mesh, request);
  if (mass !== undefined && options.check !== true) throw refusedBy(mass);
  const names = namesIn(mesh.members, cluster);
  const plan = await preview(run, request, mesh);
  const noted = "note" in before ? before.onRecord : undefined;
  return {
    effects: [
      noted?.state === "drained"
        ? `${names(id)} is drained since ${sentenceTime(noted.since)}, by ${noted.by}.`
        : `This drains ${names(id)}: ${loses(readersOf(mesh, id), names)}. It goes on sending requests to its peers.`,
      ...(mass === undefined ? [] : [`But ${mass.message}.`]),
      ...unreached(mesh, id, names),
      ...carried(plan.actions, id, names),
      ...(await uncovered(run, mesh, id, names)),
    ],
    plan,
    names,
    shown: id,
  };
}

function registerOf(run: OperatorRun, mesh: Mesh, request: ReconcileRequest) {
  return pairContextOf(mesh, planContext(run, request), "now").drains;
}

function readersOf({ members }: Mesh, id: string): string[] {
  return members
    .filter(isReachable)
    .filter(({ state }) =>
      state.remoteSecrets.some(
        ({ owner, isRead, targetId }) => owner === "ours" && isRead && targetId === id,
      ),
    )
    .map((member) => member.clusterId);
}

function loses(readers: readonly string[], names: Names): string {
  return readers.length === 0
    ? "no peer that can be reached reads it"
    : `${count(readers.length, "peer loses", "peers lose")} its endpoints (${readers.map(names).join(", ")})`;
}

function unreached({ members }: Mesh, id: string, names: Names): string[] {
  const unseen = members.filter((member) => !isReachable(member) && member.clusterId !== id);
  if (unseen.length === 0) return [];
  const list = unseen.map((member) => names(member.clusterId)).join(", ");
  return [
    `Not covered: ${list} cannot be reached, and may go on sending it requests until a full run reaches them.`,
  ];
}

/** What the readers reach through the member's gateway alone. */
function carried(
  actions: Awaited<ReturnType<typeof preview>>["actions"],
  id: string,
  names: Names,
): string[] {
  const lost = actions.flatMap(({ verb, findings }) =>
    verb === "delete"
      ? findings.flatMap(({ reason, clusterId: of }) =>
          reason === "GatewayLost" && of !== undefined && of !== id ? [of] : [],
        )
      : [],
  );
  if (lost.length === 0) return [];
  const list = [...new Set(lost)].map(names).join(", ");
  return [`But ${list} has no gateway of its own that is up: peers of other networks lose it, too.`];
}

async function foreseeUndrain(run: OperatorRun, name: string): Promise<Foresight<string>> {
  const cluster = await memberNamed(run, name);
  const id = clusterId(cluster.ref);
  const request = await requestOf(run, cluster, "serving", {});
  const label = cluster.labels[MESH_STATE_LABEL];
  const mesh = await lookAtMesh(run, "mesh", { known: [unlabelled(cluster)], memberTimeoutMs: ANSWER_MS });
  const before = registerOf(run, mesh, { scope: "mesh", reason: "look" }).of(id);
  const names = namesIn(mesh.members, cluster);
  const plan = await preview(run, request, mesh);
  const waiting =
    mesh.members.filter((member) => member.clusterId !== id).length - readersOf(mesh, id).length;
  const share = Math.max(1, Math.floor(run.spec.rotationShare * mesh.members.length));
  const noted = "note" in before ? before.onRecord : undefined;
  const what =
    noted?.state === "drained" || before.state === "unknown"
      ? `This brings ${names(id)} back to ${count(waiting, "peer")}, ${share} at a time`
      : `${names(id)} is not drained`;
  return {
    effects: [
      `${what}${noted === undefined || noted.reason === "" ? "" : `; it was drained for: ${noted.reason}`}.`,
      ...(label === undefined ? [] : [`Its label ${MESH_STATE_LABEL} (${label}) goes.`]),
    ],
    plan,
    names,
    shown: id,
  };
}

function unlabelled(cluster: Cluster): Cluster {
  const { [MESH_STATE_LABEL]: _, ...labels } = cluster.labels;
  return { ...cluster, labels };
}

/** With the label a run would drain the member again, so nothing is undrained where it has to stay. */
async function withoutStateLabel(
  { ports, signal }: OperatorRun,
  cluster: Cluster,
  say: (line: string) => void,
): Promise<Cluster> {
  if (cluster.labels[MESH_STATE_LABEL] === undefined) return cluster;
  const without = unlabelled(cluster);
  try {
    await ports.labels.set(cluster.ref, { key: MESH_STATE_LABEL, value: undefined }, signal);
  } catch (error) {
    if (!(error instanceof MeshjoinError)) throw error;
    const labels = Object.entries(without.labels).map(([key, value]) => `${key}=${value}`);
    const cure = `take it off: ${updateClusterCommand(cluster.ref, `--update-labels=${labels.join(",")}`)}; then say it again`;
    const message = `label ${MESH_STATE_LABEL} stays, so nothing is undrained: ${error.message}`;
    const { code, fields } = error;
    if (error.retryable) throw new ConflictError(message, { code, cure, fields, cause: error });
    throw new RefusedError(message, { code, cure, fields, cause: error });
  }
  say(`${clusterId(cluster.ref)} has lost the label ${MESH_STATE_LABEL}`);
  return without;
}
