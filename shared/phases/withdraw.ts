import { isOutOfReach } from "../core/answers/error-finding.ts";
import { outcomeOf } from "../core/answers/outcome.ts";
import type { Member } from "../core/member/observation.ts";
import { remoteSecretName } from "../core/names.ts";
import { ownerOf } from "../istio/ownership.ts";
import { secretRef } from "../istio/secrets.ts";
import { SECRETS } from "../look/member.ts";
import type { Withdraw } from "../plan/action.ts";
import type { PairPlan } from "../plan/pair.ts";
import { merge, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";

/**
 * Takes the remote secrets away whose targets no gateway leads to. The phase before has looked at those
 * gateways a second time. Of one reader those go first whose targets have no gateway of their own: as long as
 * it knows another one of their network, it hands out that one's address, and no raw one.
 */
export async function withdrawAll(
  run: Run,
  plans: readonly PairPlan[],
  members: readonly Member[],
): Promise<Report> {
  const withdrawals = plans.flatMap(({ withdrawal }) => withdrawal ?? []);
  const byReader = Map.groupBy(withdrawals, ({ clusterId }) => clusterId);
  const reports = [...byReader.values()].map(async (own) => {
    const take = async (actions: readonly Withdraw[]) =>
      await Promise.all(actions.map((action) => withdraw(run, action, members)));
    const first = await take(own.filter(({ isCarrier }) => !isCarrier));
    const isDone = first.every(({ errors = [] }) => errors.length === 0);
    return [...first, ...(isDone ? await take(own.filter(({ isCarrier }) => isCarrier)) : [])];
  });
  return merge(...(await Promise.all(reports)).flat());
}

/** One remote secret. */
export async function withdraw(
  run: Run,
  action: Withdraw,
  members: readonly Member[],
): Promise<Partial<Report>> {
  const { clusterId, target, secret, findings } = action;
  const reader = members.find((member) => member.clusterId === clusterId);
  if (reader === undefined) return {};
  const { writer } = run.ports.fleet.member(reader.cluster);
  return await settle(
    clusterId,
    `its remote secret for ${target} was withdrawn`,
    () =>
      run.inTurn(async (): Promise<Partial<Report>> => {
        await writer.delete(secretRef(secret.name), secret.uid, run.signal);
        const outcome = outcomeOf(action);
        run.progress({ step: action.kind, clusterId, target, outcome });
        return { findings };
      }),
    ({ finding, error }): Partial<Report> => ({ findings: [...findings, finding], errors: [error] }),
  );
}

/** Meshjoin's remote secret that may have come since the look; the pair is reported where it was there. */
export async function withdrawUnseen(
  run: Run,
  { reader, target }: Pick<PairPlan, "reader" | "target">,
  members: readonly Member[],
): Promise<Partial<Report>> {
  const member = members.find(({ clusterId }) => clusterId === reader);
  if (member === undefined) return {};
  return await settle(
    reader,
    `its remote secret for ${target} was withdrawn`,
    () =>
      run.inTurn(async (): Promise<Partial<Report>> => {
        const { reader: objects, writer } = run.ports.fleet.member(member.cluster);
        const name = remoteSecretName(target);
        const found = await objects.list({ ...SECRETS, fieldSelector: `metadata.name=${name}` }, run.signal);
        const own = found.find(({ metadata }) => ownerOf(metadata, run.spec.meshId) === "ours");
        if (own === undefined) return {};
        await writer.delete(secretRef(name), own.metadata.uid ?? "", run.signal);
        run.progress({ step: "withdraw", clusterId: reader, target, outcome: "deleted" });
        return { pairs: [{ reader, target, outcome: "deleted", counts: true }] };
      }),
    ({ finding, error, outcome }): Partial<Report> => ({
      pairs: [{ reader, target, outcome, counts: !isOutOfReach(error) }],
      findings: [finding],
      errors: [error],
    }),
  );
}
