import type { ErrorCode } from "../answers/error-codes.ts";
import { parseRootNotes, type RootNotes, type RootOrigin } from "./notes.ts";
import { bundleVersions, formatRootVersions, type RootState, type RootVersions } from "./state.ts";
import { missedBy, type View, widest } from "./view.ts";

/**
 * Where a root rotation stands. `distribute`: members learn to trust the next root; the old one still signs.
 * `switch`: the other root signs, and Meshjoin re-issues every intermediate. `retire`: a root has left the
 * bundle; the rotator disables it when no member holds it any more.
 */
export const STAGES = ["idle", "distribute", "switch", "retire"] as const;
export type Stage = (typeof STAGES)[number];

/** The whole state of a rotation: aliases and annotations of one secret. */
export interface Roots {
  readonly versions: RootVersions;
  readonly notes: RootNotes;
}

export function rootsOf({ versions, annotations }: Pick<RootState, "versions" | "annotations">): Roots {
  return { versions, notes: parseRootNotes(annotations) };
}

export interface Transition extends Roots {
  /** Versions to disable before the state is written, because it names them no more. */
  readonly disable: readonly number[];
}

/** Why there is no transition, and what to do instead. */
export interface Refusal {
  readonly refused: ErrorCode;
  readonly message: string;
  readonly cure: string;
}

export function isRefusal(result: object): result is Refusal {
  return "refused" in result;
}

/** By the alias map; the notes tell the stage `retire`, for which there is no alias. */
export function stageOf({ versions, notes }: Roots): Stage {
  if (versions.next !== undefined) return "distribute";
  if (versions.previous !== undefined) return "switch";
  return notes.retiring.length > 0 ? "retire" : "idle";
}

/** Whether no stage has begun or ended between the two, and no alias was set by hand. */
export function isSameStage(one: Roots, other: Roots): boolean {
  return (
    formatRootVersions(one.versions) === formatRootVersions(other.versions) &&
    one.notes.stageSince?.getTime() === other.notes.stageSince?.getTime()
  );
}

/** To an order that a person gave about other roots than the present ones. */
export const NOT_AS_SHOWN: Refusal = refuse(
  "OrderOutOfDate",
  "the roots are no longer the ones that were shown: another run or a person has changed them meanwhile",
  "see them, then give the order again: meshjoin root status",
);

/** No transition makes these: three roles at once, one version in two of them, or no root that signs. */
function unexpectedAliases({ versions }: Roots): Refusal | undefined {
  const roles = Object.values(versions).length;
  const isOdd = roles > 2 || bundleVersions(versions).length < roles || versions.signing === undefined;
  return isOdd ? edited(versions) : undefined;
}

function edited(versions: RootVersions): Refusal {
  return refuse(
    "UnexpectedAliases",
    `no rotation makes the aliases ${JSON.stringify(versions)}`,
    "set them back: signing, and at most one of next and previous, each to a version of its own",
  );
}

/** The first root of a mesh. */
export function claimSigning(roots: Roots, version: number, origin: RootOrigin): Transition | Refusal {
  if (Object.values(roots.versions).length > 0) {
    return refuse("RootExists", "the mesh has a root already", "replace it: meshjoin root rotate");
  }
  return { versions: { signing: version }, notes: { ...roots.notes, origin }, disable: [] };
}

/** Begins a rotation to the root of this version. */
export function claimNext(
  roots: Roots,
  version: number,
  origin: RootOrigin,
  now: Date,
): Transition | Refusal {
  const stage = stageOf(roots);
  if (stage !== "idle") return inProgress(stage);
  const odd = unexpectedAliases(roots);
  if (odd !== undefined) return odd;
  if (roots.versions.signing === version || roots.notes.retired.includes(version)) {
    return refuse(
      "RootUsed",
      `version ${version} has been a root of the mesh already`,
      "add a new one: meshjoin root rotate",
    );
  }
  const { paused: _, ...notes } = roots.notes;
  return {
    versions: { ...roots.versions, next: version },
    notes: { ...notes, otherOrigin: origin, stageSince: now },
    disable: [],
  };
}

function inProgress(stage: Stage): Refusal {
  return refuse(
    "RotationInProgress",
    `a root rotation is under way already, at stage ${stage}`,
    "see what it waits for: meshjoin root status",
  );
}

const NO_ROTATION = refuse("NoRotation", "no root rotation is under way", "begin one: meshjoin root rotate");

/** The next stage. The gate decides whether its time has come (gate.ts). */
export function advance(roots: Roots, now: Date): Transition | Refusal {
  const odd = unexpectedAliases(roots);
  if (odd !== undefined) return odd;
  const { versions, notes } = roots;
  switch (stageOf(roots)) {
    case "idle":
      return NO_ROTATION;
    case "distribute":
      return swap({ versions, notes: withDistributed(roots) }, versions.next, now);
    case "switch":
      return retire(roots, versions.previous, now);
    case "retire": {
      const { view: _, ...rest } = notes;
      return {
        versions,
        notes: { ...rest, retiring: [], without: [], stageSince: now },
        disable: notes.retiring,
      };
    }
  }
}

/**
 * The way back. A root that never signed leaves at once. One that has signed becomes `previous`, and waits
 * for its time like any other.
 */
export function abort(roots: Roots, now: Date): Transition | Refusal {
  const odd = unexpectedAliases(roots);
  if (odd !== undefined) return odd;
  const { paused: _, ...notes } = roots.notes;
  const { versions } = roots;
  switch (stageOf(roots)) {
    case "distribute":
      return retire({ versions, notes }, versions.next, now);
    case "switch":
      return isDistributed(roots, versions.previous) && isDistributed(roots, versions.signing)
        ? swap({ versions, notes }, versions.previous, now)
        : edited(versions);
    case "idle":
    case "retire":
      return refuse(
        "NothingToAbort",
        "no root rotation is under way that Meshjoin could take back",
        "begin one in the other direction, if that is what you want: meshjoin root rotate",
      );
  }
}

/** The aliases stay. A second pause keeps the time of the first. */
export function pause(roots: Roots, now: Date): Transition | Refusal {
  if (stageOf(roots) === "idle") return NO_ROTATION;
  const { versions, notes } = roots;
  return { versions, notes: { ...notes, paused: notes.paused ?? now }, disable: [] };
}

export function resume(roots: Roots): Transition | Refusal {
  if (stageOf(roots) === "idle") return NO_ROTATION;
  const { paused: _, ...notes } = roots.notes;
  return { versions: roots.versions, notes, disable: [] };
}

/** Excludes these clusters from the gates of this rotation. */
export function without({ versions, notes }: Roots, clusters: readonly string[]): Roots {
  return { versions, notes: { ...notes, without: [...new Set([...notes.without, ...clusters])].toSorted() } };
}

/** Whether the order is a copy of one that Meshjoin acted on, or is older than one. */
export function isStaleOrder(notes: RootNotes, givenAt: Date, now: Date): boolean {
  const { lastOrders, aheadOrders } = settledOrders(notes, now);
  const isCopy = [...lastOrders, ...aheadOrders].some((each) => each.getTime() === givenAt.getTime());
  return isCopy || lastOrders.some((each) => givenAt < each);
}

/**
 * An order on record from the future has the time of a fast clock, perhaps a laptop's. It says nothing of
 * what came first, even after its time has come, and makes only its own copies stale.
 */
function settledOrders(
  { lastOrders, aheadOrders }: RootNotes,
  now: Date,
): Pick<RootNotes, "lastOrders" | "aheadOrders"> {
  const past = lastOrders.filter((each) => each <= now);
  const newest = past.at(-1);
  const ahead = [...aheadOrders, ...lastOrders.filter((each) => each > now)];
  return {
    lastOrders: past.slice(-ORDERS_KEPT),
    aheadOrders: ahead.filter((each) => newest === undefined || each > newest).slice(-ORDERS_KEPT),
  };
}

/** More orders than a person gives in a week; for a week Pub/Sub may deliver a copy. */
const ORDERS_KEPT = 16;

/** Records which orders are ahead of this clock; undefined where none is. */
export function withoutFutureOrders({ versions, notes }: Roots, now: Date): Transition | undefined {
  if (notes.lastOrders.every((each) => each <= now)) return undefined;
  return { versions, notes: { ...notes, ...settledOrders(notes, now) }, disable: [] };
}

/** Records where the rotation looks for members: no gate opens for a configuration that sees less. */
export function withView<T extends Roots>(roots: T, view: View): T {
  return { ...roots, notes: { ...roots.notes, view } };
}

/** Widens the recorded view; undefined where it is as wide, or no rotation is under way. */
export function seenBy(roots: Roots, view: View): Transition | undefined {
  const { view: recorded } = roots.notes;
  if (stageOf(roots) === "idle" || (recorded !== undefined && missedBy(recorded, view).length === 0))
    return undefined;
  return withView({ ...roots, disable: [] }, widest(view, recorded));
}

/** Records an order. Keeps several: one by a fast clock must not displace those that tell the sequence. */
export function withOrder({ notes, ...rest }: Transition, givenAt: Date, now: Date): Transition {
  const lastOrders = [...notes.lastOrders, givenAt].toSorted((a, b) => a.getTime() - b.getTime());
  return { ...rest, notes: { ...notes, ...settledOrders({ ...notes, lastOrders }, now) } };
}

/** Records that the gate has seen every member trust both roots. */
function withDistributed({ versions: { signing, next }, notes }: Roots): RootNotes {
  const trusted = [signing, next].flatMap((version) => version ?? []);
  return { ...notes, distributed: ascending([...notes.distributed, ...trusted]) };
}

function isDistributed({ notes }: Roots, version: number | undefined): boolean {
  return version !== undefined && notes.distributed.includes(version);
}

/** The other root signs from now on; the bundle is the same. */
function swap({ versions, notes }: Roots, signing: number | undefined, now: Date): Transition {
  const { origin, otherOrigin, ...rest } = notes;
  return {
    versions: {
      ...(versions.signing === undefined ? {} : { previous: versions.signing }),
      ...(signing === undefined ? {} : { signing }),
    },
    notes: {
      ...rest,
      ...(otherOrigin === undefined ? {} : { origin: otherOrigin }),
      ...(origin === undefined ? {} : { otherOrigin: origin }),
      stageSince: now,
    },
    disable: [],
  };
}

/** A root leaves the bundle, on record. */
function retire({ versions: { signing }, notes }: Roots, leaver: number | undefined, now: Date): Transition {
  const retiring = leaver === undefined ? [] : [leaver];
  const { otherOrigin: _, ...rest } = notes;
  return {
    versions: signing === undefined ? {} : { signing },
    notes: {
      ...rest,
      distributed: notes.distributed.filter((version) => version !== leaver),
      retired: ascending([...notes.retired, ...retiring]),
      retiring,
      stageSince: now,
    },
    disable: [],
  };
}

function ascending(versions: readonly number[]): number[] {
  return [...new Set(versions)].toSorted((a, b) => a - b);
}

function refuse(refused: ErrorCode, message: string, cure: string): Refusal {
  return { refused, message, cure };
}
