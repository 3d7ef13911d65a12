import { type Finding, finding } from "../core/answers/finding.ts";
import type { Reason } from "../core/answers/reasons.ts";
import type { Cluster } from "../core/cluster/cluster.ts";
import type { ReaderSecretState, RemoteSecretState } from "../core/member/observation.ts";
import { isTokenDue, isTokenEnding } from "../core/member/token-life.ts";
import type { Connect } from "./action.ts";

/** One direction of a pair whose two ends are complete. */
export interface PairDirection {
  /** The reader's remote secret for the target. */
  readonly existing: RemoteSecretState | undefined;
  /** The reader's reader Secret in the target. */
  readonly readerSecret: ReaderSecretState | undefined;
  /** Of the target's present address and CA. */
  readonly digest: string;
  /** The target's. */
  readonly network: string;
  readonly reader: Cluster;
  readonly target: Cluster;
  readonly ids: { readonly reader: string; readonly target: string };
  readonly now: Date;
}

type Written = PairDirection & { readonly existing: RemoteSecretState };

const isWritten = (connection: PairDirection): connection is Written => connection.existing !== undefined;

export type Cause = Pick<Connect, "unseen" | "urgency"> & { readonly finding: Finding };

type Check<T> = (connection: T) => Cause | undefined;

/** The first cause to write a remote secret; undefined where it is as it should be. */
export function whyConnect(connection: PairDirection): Cause | undefined {
  if (!isWritten(connection)) return remoteSecretIsMissing(connection);
  for (const check of CAUSES) {
    const cause = check(connection);
    if (cause !== undefined) return cause;
  }
  return undefined;
}

const remoteSecretIsMissing = (connection: PairDirection): Cause =>
  needed(connection, "RemoteSecretMissing", (target) => `there is no remote secret for ${target}`);

const istiodIgnoresIt: Check<Written> = (connection) =>
  connection.existing.isRead
    ? undefined
    : outdated(
        connection,
        (target) => `the remote secret for ${target} has lost the label that istiod looks for`,
      );

const itWasEdited: Check<Written> = (connection) =>
  connection.existing.editedBy === undefined
    ? undefined
    : outdated(
        connection,
        (target) => `the remote secret for ${target} was changed by ${connection.existing.editedBy}`,
      );

const targetWasRecreated: Check<Written> = (connection) =>
  connection.existing.targetGkeId === connection.target.id
    ? undefined
    : outdated(
        connection,
        (target) => `the remote secret was made for an earlier cluster of the name ${target}`,
      );

const addressHasChanged: Check<Written> = (connection) =>
  connection.existing.endpointDigest === connection.digest
    ? undefined
    : outdated(connection, (target) => `the address or the CA of ${target} has changed`);

/** Of an unreachable member this is all that tells its network. A Secret of an earlier release tells none. */
const networkHasChanged: Check<Written> = ({ existing, network, ...connection }) =>
  existing.targetNetwork === undefined || existing.targetNetwork === network
    ? undefined
    : outdated({ existing, network, ...connection }, (target) => `${target} has changed its network`);

const readerSecretIsGone: Check<Written> = (connection) => {
  const { readerSecret, existing, reader } = connection;
  if (readerSecret?.uid === existing.readerUid && readerSecret?.readerGkeId === reader.id) return undefined;
  const gone = outdated(connection, (target) => `the token for ${target} is bound to a Secret that is gone`);
  return existing.readerUid === undefined ? gone : { ...gone, unseen: existing.readerUid };
};

const tokenHasEnded: Check<Written> = (connection) => {
  const { tokenExpiresAt } = connection.existing;
  return tokenExpiresAt === undefined || tokenExpiresAt > connection.now
    ? undefined
    : outdated(connection, (target) => `the token for ${target} has ended`);
};

const tokenIsDue: Check<Written> = ({ existing, ids: { reader, target }, now }) =>
  isTokenDue(existing, reader, target, now)
    ? {
        urgency: isTokenEnding(existing, now) ? "ending" : "due",
        finding: finding(
          "TokenDue",
          `the token for ${target} is due for renewal`,
          "nothing: Meshjoin writes it",
          reader,
        ),
      }
    : undefined;

/** A dead or useless token comes before one that is due. */
const CAUSES: readonly Check<Written>[] = [
  istiodIgnoresIt,
  itWasEdited,
  targetWasRecreated,
  addressHasChanged,
  networkHasChanged,
  readerSecretIsGone,
  tokenHasEnded,
  tokenIsDue,
];

function outdated(connection: PairDirection, say: (target: string) => string): Cause {
  return needed(connection, "RemoteSecretOutdated", say);
}

function needed({ ids }: PairDirection, reason: Reason, say: (target: string) => string): Cause {
  return {
    urgency: "needed",
    finding: finding(reason, say(ids.target), "nothing: Meshjoin writes it", ids.reader),
  };
}
