import { applyGateway, removeGateway } from "../apply/gateway.ts";
import { withRights } from "../apply/rights.ts";
import { within } from "../async/within.ts";
import { outcomeOf, worst } from "../core/answers/outcome.ts";
import type { Member } from "../core/member/observation.ts";
import { type GatewayState, isUp } from "../core/network/gateway.ts";
import type { ReconcileRequest } from "../core/request.ts";
import type { MeshSpec } from "../core/spec.ts";
import { gatewayObjects, gatewaySettings } from "../istio/gateway.ts";
import { awaitGateway } from "../look/gateways.ts";
import { listClusters } from "../look/listing.ts";
import type { Mesh } from "../look/mesh.ts";
import type { GatewayAction } from "../plan/action.ts";
import type { PairContext } from "../plan/context.ts";
import { type GatewayOwner, isGatewayUp, lostNetworks, planGateways } from "../plan/gateways.ts";
import { pairContextOf } from "../plan/mesh.ts";
import { gatewaysOf } from "../plan/networks.ts";
import { planContext } from "../plan-context.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { merge, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import type { Phase } from "./course.ts";
import { gatewayFault, gatewayReport } from "./gateway-report.ts";
import { WAIT_MS } from "./own-halves.ts";
import { type Repaired, repairOwned } from "./take-back.ts";

/** A gateway that is lost gets this long for a second look, before its pairs are withdrawn. */
export const SECOND_LOOK_MS = 5000;

/**
 * Gives each member the gateway that it should have, also the peers of those that the run is about, and waits
 * until they are up: then the pairs across networks can be made. Takes away those that nobody needs.
 */
export const gateways: Phase = async (run, course) => {
  const { mesh, request } = course;
  if (mesh.isPartial) return {};
  const context = pairContextOf(mesh, planContext(run, request), "now");
  const { actions, owners, findings: seenFirst } = planGateways(context);
  const due = await stillDue(run, mesh, actions);
  const written = await Promise.all(due.map((action) => carryOut(run, mesh, action)));
  const touched = new Set(due.map(({ clusterId }) => clusterId));
  // Of a gateway that was not seen nothing is known: neither its name, nor whether istiods may know it.
  const seenOnly = owners.filter(
    ({ member, present }) => present !== undefined && !touched.has(member.clusterId),
  );
  const repaired =
    request.deep === true ? await Promise.all(seenOnly.map((owner) => repair(run, mesh, owner))) : [];
  const fresh = new Set(written.flatMap(({ isDone, clusterId }) => (isDone ? [clusterId] : [])));
  const awaited = mesh.members.flatMap((member) => {
    const isAwaited = awaitedOf(member, fresh, owners, context);
    return isAwaited.length === 0 ? [] : [{ member, isAwaited }];
  });
  const reports = [...written.map(({ report }) => report), ...repaired];
  if (awaited.length === 0) {
    const own = seenFirst.filter(({ clusterId = "" }) => mesh.subjects.has(clusterId));
    return merge(...reports, { findings: own });
  }
  const long = within(run.signal, WAIT_MS);
  const short = within(run.signal, SECOND_LOOK_MS);
  const limitOf = ({ clusterId }: Member) =>
    fresh.has(clusterId) || request.scope !== "mesh" ? long : short;
  const seen = new Map(
    await Promise.all(
      awaited.map(
        async ({ member, isAwaited }) =>
          [member.clusterId, await awaitGateway(run, member, isAwaited, limitOf(member))] as const,
      ),
    ),
  );
  const members = mesh.members.map((member) => seen.get(member.clusterId) ?? member);
  const shown = await show(run, { ...mesh, members }, request);
  const after = { ...mesh, members: shown.members };
  const { findings } = planGateways(pairContextOf(after, planContext(run, request), "now"));
  return { ...merge(...reports, ...shown.reports, { findings }), mesh: after };
};

/** Lets istiods know the hidden gateways that have been up for a while, and notes those that have come up. */
async function show(run: Run, mesh: Mesh, request: ReconcileRequest) {
  const { actions } = planGateways(pairContextOf(mesh, planContext(run, request), "now"));
  const due = actions.filter((action) => action.kind === "applyGateway" && isUpAndHidden(action, mesh));
  const done = await Promise.all(due.map((action) => carryOut(run, mesh, action)));
  const changed = new Set(done.flatMap(({ isDone, clusterId }) => (isDone ? [clusterId] : [])));
  const limit = within(run.signal, SECOND_LOOK_MS);
  const members = await Promise.all(
    mesh.members.map(async (member) => {
      if (!changed.has(member.clusterId)) return member;
      const own = due.filter((each) => each.clusterId === member.clusterId && !isStillHidden(each));
      if (own.length === 0) return member;
      const awaited = own.map(
        ({ gateway }): IsAwaited =>
          (each) =>
            each.gateway === gateway && each.network !== "",
      );
      return await awaitGateway(run, member, awaited, limit);
    }),
  );
  return { members, reports: done.map(({ report }) => report) };
}

function isStillHidden(action: GatewayAction): boolean {
  return action.kind === "applyGateway" && action.isHidden;
}

function isUpAndHidden({ clusterId, gateway }: GatewayAction, { members }: Mesh): boolean {
  const member = members.find((each) => each.clusterId === clusterId);
  const present = member === undefined ? undefined : gatewaysOf(member);
  return present?.some((each) => each.gateway === gateway && each.network === "" && isUp(each)) ?? false;
}

type IsAwaited = (gateway: GatewayState) => boolean;

/** What the run waits for at one member: gateways that it has written, or that should be up and are not. */
function awaitedOf(
  member: Member,
  fresh: ReadonlySet<string>,
  owners: readonly GatewayOwner[],
  context: PairContext,
): readonly IsAwaited[] {
  const own = owners.filter((owner) => owner.member.clusterId === member.clusterId);
  const [written, others] = fresh.has(member.clusterId) ? [own, []] : [[], own];
  const down = others.flatMap(({ wanted: { network } }) => (isGatewayUp(member, network) ? [] : [network]));
  const networks = new Set([...down, ...lostNetworks(member, context)]);
  return [
    ...written.map(
      ({ gateway }): IsAwaited =>
        (each) =>
          each.gateway === gateway,
    ),
    ...[...networks].map(
      (network): IsAwaited =>
        (each) =>
          each.network === network,
    ),
  ];
}

/**
 * Without the removals, if the clusters are others than those that the look saw: the run of a member that has
 * come since relies on the gateways that it found.
 */
async function stillDue(
  run: Run,
  { listing, members }: Mesh,
  actions: readonly GatewayAction[],
): Promise<readonly GatewayAction[]> {
  if (!actions.some(({ kind }) => kind === "removeGateway")) return actions;
  const now = await listClusters(run, listing);
  const known = new Set(members.map(({ cluster }) => cluster.id));
  const isSame = now.findings.length === 0 && now.members.every(({ id }) => known.has(id));
  return isSame ? actions : actions.filter(({ kind }) => kind !== "removeGateway");
}

/** Takes back what others have changed of a gateway's objects, and makes those anew that are gone. */
async function repair(run: Run, mesh: Mesh, { member, ...owned }: GatewayOwner): Promise<Partial<Report>> {
  const { clusterId: id, cluster } = member;
  const { spec, signal } = run;
  const api = run.ports.fleet.member(cluster);
  return await settle(
    id,
    "fields of its gateway that other managers changed were taken back",
    () =>
      run.inTurn(async (): Promise<Partial<Report>> => {
        const repairs = await repairGateway(api, { id, signal }, owned, spec);
        const outcome = worst(["unchanged", ...repairs.map((each) => each.outcome)]);
        return { members: [gatewayReport(id, outcome)], findings: repairs.map(({ found }) => found) };
      }),
    (fault) => gatewayFault(mesh, fault),
  );
}

async function repairGateway(
  api: MemberApi,
  { id, signal }: { readonly id: string; readonly signal: AbortSignal },
  { wanted, gateway, present }: Omit<GatewayOwner, "member">,
  spec: MeshSpec,
): Promise<Repaired[]> {
  const hidden = present?.network === "" ? { settlingSince: present.settlingSince } : undefined;
  return await withRights(api, spec.meshId, signal, () =>
    repairOwned(
      { api, id, signal },
      gatewayObjects(gatewaySettings(spec, wanted), gateway, hidden),
      spec.meshId,
    ),
  );
}

interface CarriedOut {
  readonly clusterId: string;
  readonly isDone: boolean;
  readonly report: Partial<Report>;
}

async function carryOut(run: Run, mesh: Mesh, action: GatewayAction): Promise<CarriedOut> {
  const { clusterId } = action;
  const member = mesh.members.find((each) => each.clusterId === clusterId);
  if (member === undefined) return { clusterId, isDone: false, report: {} };
  const api = run.ports.fleet.member(member.cluster);
  const { spec, signal } = run;
  return await settle(
    clusterId,
    action.kind === "applyGateway" ? "its gateway was installed" : "its gateway was removed",
    () =>
      run.inTurn(async (): Promise<CarriedOut> => {
        const place = { api, ref: member.cluster.ref };
        if (action.kind === "applyGateway") await applyGateway(place, action, spec, signal);
        else await removeGateway(api, action, spec.meshId, signal);
        const outcome = outcomeOf(action);
        run.progress({ step: action.kind, clusterId, outcome });
        const report = { members: [gatewayReport(clusterId, outcome)], findings: action.findings };
        return { clusterId, isDone: true, report };
      }),
    (fault): CarriedOut => ({ clusterId, isDone: false, report: gatewayFault(mesh, fault) }),
  );
}
