import { formatView, parseView, type View } from "./view.ts";

/** Who made a root: Meshjoin, or somebody who brought it. */
export const ROOT_ORIGINS = ["generated", "imported"] as const;
export type RootOrigin = (typeof ROOT_ORIGINS)[number];

/**
 * On record before a root is added and until it is claimed. It says which versions a run that died in between may have left
 * behind: those above `after` that have no role. No other version is ever taken for Meshjoin's own, and none is claimed on
 * the strength of this: a run claims the one version that it has added itself.
 */
export interface RootClaim {
  /** Of one attempt: an attempt whose claim is no longer on record has been overtaken and may not go on. */
  readonly id: string;
  /** The newest version when the oldest attempt began that nobody has cleaned up after. */
  readonly after: number;
}

/** What the root secret's annotations say beside its aliases. */
export interface RootNotes {
  /** Since when the aliases are as they are. */
  readonly stageSince?: Date;
  /** When a person stopped the stages from following each other. */
  readonly paused?: Date;
  /** Every intermediate that was issued before this is to be replaced. */
  readonly rotateBefore?: Date;
  /** Of the root that signs. */
  readonly origin?: RootOrigin;
  /** Of the other claimed root, `next` or `previous`. */
  readonly otherOrigin?: RootOrigin;
  /** Versions that every member was seen to trust, and that may therefore sign, ascending. */
  readonly distributed: readonly number[];
  /** Versions that may leave the members' bundles (design rule 13), ascending. */
  readonly retired: readonly number[];
  /** Those of them that members may still hold; they are disabled when none does. */
  readonly retiring: readonly number[];
  /** Cluster IDs that the gates of this rotation do without, because a person has said that they never come back; ascending. */
  readonly without: readonly string[];
  /** The widest view of those that have taken part in this rotation; undefined where no rotation is under way. */
  readonly view?: View;
  /** When the newest orders were given that were acted on, by whatever clock; ascending. */
  readonly lastOrders: readonly Date[];
  /** Of orders that were acted on and found ahead of the clock of Google. */
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

/** What somebody else has written there, and is none of these, counts as not written. */
export function parseRootNotes(annotations: Annotations): RootNotes {
  const text = (key: keyof RootNotes) => annotations[PREFIX + KEYS[key]];
  return {
    ...optional("stageSince", date(text("stageSince"))),
    ...optional("paused", date(text("paused"))),
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

/** All annotations as they are to be: ours from the notes, and whoever else's as they were. */
export function formatRootNotes(notes: RootNotes, annotations: Annotations): Record<string, string> {
  const ours = new Set<string>(Object.values(KEYS).map((key) => PREFIX + key));
  const others = Object.entries(annotations).filter(([key]) => !ours.has(key));
  const written: (readonly [keyof RootNotes, string | undefined])[] = [
    ["stageSince", notes.stageSince?.toISOString()],
    ["paused", notes.paused?.toISOString()],
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
    ...written.flatMap(([key, value]) => (value === undefined ? [] : [[PREFIX + KEYS[key], value]])),
  ]);
}

function optional<K extends keyof RootNotes, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a computed key widens to string
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: V });
}

function date(text: string | undefined): Date | undefined {
  const parsed = new Date(text ?? "");
  return Number.isNaN(parsed.getTime()) ? undefined : parsed;
}

function formatDates(all: readonly Date[]): string | undefined {
  return all.map((each) => each.toISOString()).join(",") || undefined;
}

function dates(text = ""): Date[] {
  return text.split(",").flatMap((each) => date(each) ?? []);
}

function origin(text: string | undefined): RootOrigin | undefined {
  return ROOT_ORIGINS.find((known) => known === text);
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
