import { UNKNOWN_TIME } from "../time.ts";
import { formatView, parseView, type View } from "./view.ts";

/** Meshjoin made a root (`generated`), or a person brought it (`imported`). */
export const ROOT_ORIGINS = ["generated", "imported"] as const;
export type RootOrigin = (typeof ROOT_ORIGINS)[number];

/**
 * On record from before a root is added until it is claimed. A run that died in between may have left
 * versions behind: those above `after` that have no role. Meshjoin takes no other version for its own. A run
 * claims only the version that it has added itself.
 */
export interface RootClaim {
  /** Of one attempt. An attempt whose ID is no longer on record was overtaken and must stop. */
  readonly id: string;
  /** The newest version when the oldest attempt began whose versions are not disabled yet. */
  readonly after: number;
}

/** The annotations of the root secret, which complete its aliases. */
export interface RootNotes {
  /** When the aliases last changed. */
  readonly stageSince?: Date;
  /** When a person stopped the stages from following each other. */
  readonly paused?: Date;
  /** When a person stopped every write of the functions to the mesh. */
  readonly writesPaused?: Date;
  /** Meshjoin replaces every intermediate that was issued before this. */
  readonly rotateBefore?: Date;
  /** Of the root that signs. */
  readonly origin?: RootOrigin;
  /** Of the other claimed root, `next` or `previous`. */
  readonly otherOrigin?: RootOrigin;
  /** Versions that may sign, because Meshjoin has seen that every member trusts them; ascending. */
  readonly distributed: readonly number[];
  /** Versions that may leave the members' bundles (design rule 13), ascending. */
  readonly retired: readonly number[];
  /** Those of the retired that members may still hold; the rotator disables them when none does. */
  readonly retiring: readonly number[];
  /** IDs of clusters that a person has excluded from this rotation: they never come back; ascending. */
  readonly without: readonly string[];
  /** The widest view of any run in this rotation; undefined where no rotation is under way. */
  readonly view?: View;
  /** When the newest orders that Meshjoin acted on were given, each by its sender's clock; ascending. */
  readonly lastOrders: readonly Date[];
  /** When those orders were given that Meshjoin acted on and that were ahead of Google's clock. */
  readonly aheadOrders: readonly Date[];
  /** While a root is being added. */
  readonly claim?: RootClaim;
}

export const NO_NOTES: RootNotes = {
  distributed: [],
  retired: [],
  retiring: [],
  without: [],
  lastOrders: [],
  aheadOrders: [],
};

/** Secret Manager allows no slash in the key of an annotation. */
const PREFIX = "meshjoin.dev_";
const KEYS = {
  stageSince: "stage-since",
  paused: "paused",
  writesPaused: "writes-paused",
  rotateBefore: "rotate-before",
  origin: "origin",
  otherOrigin: "other-origin",
  distributed: "distributed",
  retired: "retired",
  retiring: "retiring",
  without: "without",
  view: "view",
  lastOrders: "last-order",
  aheadOrders: "ahead-orders",
  claim: "claim",
} as const satisfies Record<keyof RootNotes, string>;

type Annotations = Readonly<Record<string, string>>;

/** A text that Meshjoin would not write counts as absent. A note of a pause holds, whatever it says. */
export function parseRootNotes(annotations: Annotations): RootNotes {
  const text = (key: keyof RootNotes) => annotations[PREFIX + KEYS[key]];
  return {
    ...optional("stageSince", date(text("stageSince"))),
    ...optional("paused", pauseOf(text("paused"))),
    ...optional("writesPaused", pauseOf(text("writesPaused"))),
    ...optional("rotateBefore", date(text("rotateBefore"))),
    ...optional("origin", origin(text("origin"))),
    ...optional("otherOrigin", origin(text("otherOrigin"))),
    distributed: numbers(text("distributed")),
    retired: numbers(text("retired")),
    retiring: numbers(text("retiring")),
    without: names(text("without")),
    ...optional("view", parseView(text("view") ?? "")),
    lastOrders: dates(text("lastOrders")),
    aheadOrders: dates(text("aheadOrders")),
    ...optional("claim", parseClaim(text("claim") ?? "")),
  };
}

/** All annotations to write: Meshjoin's from the notes, all others unchanged. */
export function formatRootNotes(notes: RootNotes, annotations: Annotations): Record<string, string> {
  const ownKeys = new Set<string>(Object.values(KEYS).map((key) => PREFIX + key));
  const others = Object.entries(annotations).filter(([key]) => !ownKeys.has(key));
  const values: (readonly [keyof RootNotes, string | undefined])[] = [
    ["stageSince", notes.stageSince?.toISOString()],
    ["paused", notes.paused?.toISOString()],
    ["writesPaused", notes.writesPaused?.toISOString()],
    ["rotateBefore", notes.rotateBefore?.toISOString()],
    ["origin", notes.origin],
    ["otherOrigin", notes.otherOrigin],
    ["distributed", notes.distributed.join(",") || undefined],
    ["retired", notes.retired.join(",") || undefined],
    ["retiring", notes.retiring.join(",") || undefined],
    ["without", notes.without.join(",") || undefined],
    ["view", notes.view && formatView(notes.view)],
    ["lastOrders", formatDates(notes.lastOrders)],
    ["aheadOrders", formatDates(notes.aheadOrders)],
    ["claim", notes.claim && formatClaim(notes.claim)],
  ];
  return Object.fromEntries([
    ...others,
    ...values.flatMap(([key, value]) => (value === undefined ? [] : [[PREFIX + KEYS[key], value]])),
  ]);
}

function optional<K extends keyof RootNotes, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a computed key widens to string
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: V });
}

/** JavaScript takes "incident 7" for a day in July. */
const RFC_3339 = /^\d{4}-\d\d-\d\dT/;

function date(text = ""): Date | undefined {
  const parsed = new Date(RFC_3339.test(text) ? text : "");
  return Number.isNaN(parsed.getTime()) ? undefined : parsed;
}

/** A person who pauses by hand may write anything; the time is then not known. */
function pauseOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : (date(text) ?? UNKNOWN_TIME);
}

function formatDates(all: readonly Date[]): string | undefined {
  return all.map((each) => each.toISOString()).join(",") || undefined;
}

function dates(text = ""): Date[] {
  return text.split(",").flatMap((each) => date(each) ?? []);
}

function origin(text: string | undefined): RootOrigin | undefined {
  return ROOT_ORIGINS.find((each) => each === text);
}

function numbers(text = ""): number[] {
  const parsed = text.split(",").map(Number);
  return [...new Set(parsed.filter((each) => Number.isInteger(each) && each > 0))].toSorted((a, b) => a - b);
}

function names(text = ""): string[] {
  return [...new Set(text.split(",").filter((name) => name !== ""))].toSorted();
}

/** In an annotation. */
function formatClaim({ id, after }: RootClaim): string {
  return `${after} ${id}`;
}

/** The inverse; undefined for any other text. */
function parseClaim(text: string): RootClaim | undefined {
  const { after, id } = /^(?<after>\d{1,9}) (?<id>\S+)$/.exec(text)?.groups ?? {};
  return after === undefined || id === undefined ? undefined : { id, after: Number(after) };
}
