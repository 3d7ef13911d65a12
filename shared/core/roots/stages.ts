import type { ErrorCode } from "../answers/error-codes.ts";
import { parseRootNotes, type RootNotes, type RootOrigin } from "./notes.ts";
import { bundleVersions, type RootState, type RootVersions } from "./state.ts";
import { missedBy, type View, widest } from "./view.ts";

/**
 * Where a root rotation stands. `distribute`: every member is to trust the next root, and the old one still signs.
 * `switch`: the other root signs, and every intermediate is re-issued. `retire`: a root has left the bundle, and is
 * disabled when no member holds it any more.
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

/** What a transition makes of it. */
export interface Transition extends Roots {
  /** Versions to disable before the state is written, so that it does not forget them. */
  readonly disable: readonly number[];
}

/** Why there is no transition; `cure` says what to do instead. */
export interface Refusal {
  readonly refused: ErrorCode;
  readonly message: string;
  readonly cure: string;
}

export function isRefusal(result: object): result is Refusal {
  return "refused" in result;
}

/** The alias map says it, and the notes what it does not: a root that has left and is not forgotten. */
export function stageOf({ versions, notes }: Roots): Stage {
  if (versions.next !== undefined) return "distribute";
  if (versions.previous !== undefined) return "switch";
  return notes.retiring.length > 0 ? "retire" : "idle";
}

/** What no transition makes: three roles at once, or one version in two of them. */
function unexpectedAliases({ versions }: Roots): Refusal | undefined {
  const roles = Object.values(versions).length;
  const isOdd = roles > 2 || bundleVersions(versions).length < roles || versions.signing === undefined;
  return isOdd ? edited(versions) : undefined;
}

function edited(versions: RootVersions): Refusal {
  return refuse(
    "UnexpectedAliases",
    `the aliases ${JSON.stringify(versions)} are none that a rotation makes`,
    "somebody has edited them; set them back: signing, and at most one of next and previous, each to a version of its own",
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

/** The next stage; whether its time has come is the gate's business (gate.ts). */
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
 * The same way back: a root that nobody has signed with leaves at once; one that has signed becomes the one that signs no longer,
 * and waits for its time like any other.
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
        "no root rotation is under way that could be taken back",
        "begin one in the other direction, if that is what you want: meshjoin root rotate",
      );
  }
}

/** The aliases stay as they are; asked for twice, it is done once. */
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

/** The gates of this rotation do without these clusters from now on. */
export function without({ versions, notes }: Roots, clusters: readonly string[]): Roots {
  return { versions, notes: { ...notes, without: [...new Set([...notes.without, ...clusters])].toSorted() } };
}

/** Whether an order is a copy of one that was acted on, or was given before one was. */
export function isStaleOrder(notes: RootNotes, givenAt: Date, now: Date): boolean {
  const { lastOrders, aheadOrders } = settledOrders(notes, now);
  const isCopy = [...lastOrders, ...aheadOrders].some((each) => each.getTime() === givenAt.getTime());
  return isCopy || lastOrders.some((each) => givenAt < each);
}

/**
 * An order on record from the future carries the time of a fast clock, that of a laptop perhaps, which has written it: it says nothing
 * of what came first, not even when its time has come, and only its own copies are stale by it.
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

/** More than a person gives within the week for which Pub/Sub may deliver a copy. */
const ORDERS_KEPT = 16;

/** Notes that orders on record are ahead of this clock; undefined where none is. */
export function withoutFutureOrders({ versions, notes }: Roots, now: Date): Transition | undefined {
  if (notes.lastOrders.every((each) => each <= now)) return undefined;
  return { versions, notes: { ...notes, ...settledOrders(notes, now) }, disable: [] };
}

/** Where the rotation looks for members: no gate opens for a configuration that sees less. */
export function withView<T extends Roots>(roots: T, view: View): T {
  return { ...roots, notes: { ...roots.notes, view } };
}

/** The same roots, seen by one more; undefined where that is noted, or no rotation is under way. */
export function seenBy(roots: Roots, view: View): Transition | undefined {
  const { view: noted } = roots.notes;
  if (stageOf(roots) === "idle" || (noted !== undefined && missedBy(noted, view).length === 0))
    return undefined;
  return withView({ ...roots, disable: [] }, widest(view, noted));
}

/** On record; several, because one by a fast clock must not take the place of those that tell what came before it. */
export function withOrder({ notes, ...rest }: Transition, givenAt: Date, now: Date): Transition {
  const lastOrders = [...notes.lastOrders, givenAt].toSorted((a, b) => a.getTime() - b.getTime());
  return { ...rest, notes: { ...notes, ...settledOrders({ ...notes, lastOrders }, now) } };
}

/** The gate has seen that every member trusts both. */
function withDistributed({ versions: { signing, next }, notes }: Roots): RootNotes {
  const trusted = [signing, next].flatMap((version) => version ?? []);
  return { ...notes, distributed: ascending([...notes.distributed, ...trusted]) };
}

function isDistributed({ notes }: Roots, version: number | undefined): boolean {
  return version !== undefined && notes.distributed.includes(version);
}

/** The other root signs from now on; the bundle is the same. */
function swap({ versions, notes }: Roots, signs: number | undefined, now: Date): Transition {
  const { origin, otherOrigin, ...rest } = notes;
  return {
    versions: {
      ...(versions.signing === undefined ? {} : { previous: versions.signing }),
      ...(signs === undefined ? {} : { signing: signs }),
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
function retire({ versions: { signing }, notes }: Roots, leaves: number | undefined, now: Date): Transition {
  const gone = leaves === undefined ? [] : [leaves];
  const { otherOrigin: _, ...rest } = notes;
  return {
    versions: signing === undefined ? {} : { signing },
    notes: {
      ...rest,
      distributed: notes.distributed.filter((version) => version !== leaves),
      retired: ascending([...notes.retired, ...gone]),
      retiring: gone,
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
