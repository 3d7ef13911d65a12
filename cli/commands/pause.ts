import { count } from "../../shared/core/count.ts";
import { isReachable, type Member } from "../../shared/core/member/observation.ts";
import { isRefusal } from "../../shared/core/roots/stages.ts";
import { sentenceTime } from "../../shared/core/time.ts";
import { lookAtMesh } from "../../shared/look/mesh.ts";
import type { Changed } from "../../shared/rotate/change-roots.ts";
import { pauseWrites, resumeWrites } from "../../shared/rotate/pause-writes.ts";
import { command } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type Foresight, graveCommand } from "../grave-command.ts";
import { namesIn } from "../mesh-names.ts";
import { renderWrites, type Writes } from "../render/writes.ts";
import type { Names } from "../screen.ts";
import type { OperatorAccess, Session } from "../session.ts";

export const pause = graveCommand({
  name: "pause",
  description: "stop every write of the functions, while a person handles an incident",
  notes: "It does not stop the command line. Status, page and alerts say that writes are paused.",
  examples: ["meshjoin pause", "meshjoin pause --yes"],
  foresee,
  run: async (session) => await change(session, pauseWrites),
});

export const resume = command({
  name: "resume",
  description: "let the functions write again",
  examples: ["meshjoin resume"],
  run: async (session) => await change(session, resumeWrites),
});

async function change(
  session: Session,
  decide: (access: OperatorAccess) => Promise<Changed>,
): Promise<ExitCode> {
  const writes = await session.withPorts(async (access): Promise<Writes> => {
    const { before, after } = await decide(access);
    const { notes } = after === undefined || isRefusal(after) ? before : after;
    return {
      meshId: access.spec.meshId,
      writesPaused: notes.writesPaused?.toISOString() ?? null,
      outcome: after === undefined ? "unchanged" : "updated",
    };
  });
  session.show(writes, renderWrites);
  return EXIT.done;
}

async function foresee(session: Session): Promise<Foresight> {
  return await session.withRun(async ({ spec, ...run }) => {
    const { members, roots } = await lookAtMesh({ spec, ...run }, "mesh");
    const since = roots.notes.writesPaused;
    if (since !== undefined) {
      return {
        effects: [
          `The functions write nothing to mesh ${spec.meshId} since ${sentenceTime(since.toISOString())}: nothing changes.`,
        ],
      };
    }
    const unseen = members.filter((member) => !isReachable(member)).length;
    const first = firstToEnd(members, namesIn(members));
    return {
      effects: [
        `This stops every write of the functions to mesh ${spec.meshId}: no cluster joins or leaves, and no certificate or token of its ${count(members.length, "member")} is renewed, until meshjoin resume.`,
        ...(first === undefined ? [] : [`The first to end is ${first}.`]),
        ...(unseen === 0
          ? []
          : [`Not known: when those of ${count(unseen, "member")} end that cannot be reached.`]),
      ],
    };
  });
}

/** The first certificate or token that ends without a renewal. */
function firstToEnd(members: readonly Member[], names: Names): string | undefined {
  const ends = members
    .filter(isReachable)
    .flatMap(({ clusterId, state: { cacerts, remoteSecrets } }) => [
      ...(cacerts?.owner === "ours" && cacerts.notAfter !== undefined
        ? [{ at: cacerts.notAfter, what: `the intermediate CA of ${names(clusterId)}` }]
        : []),
      ...remoteSecrets.flatMap(({ owner, tokenExpiresAt: at, targetId }) =>
        owner === "ours" && at !== undefined
          ? [{ at, what: `the token of ${names(clusterId)} for ${names(targetId)}` }]
          : [],
      ),
    ]);
  const [first] = ends.toSorted((a, b) => a.at.getTime() - b.at.getTime());
  return first && `${first.what}, at ${sentenceTime(first.at.toISOString())}`;
}
