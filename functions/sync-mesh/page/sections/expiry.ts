import { count } from "../../../../shared/core/count.ts";
import { EXPIRY_KINDS, type Expiry, isPast } from "../facts/expiries.ts";
import { type Html, html, type Part } from "../html.ts";
import type { Scene } from "../scene.ts";
import { clock, fold, memberLink, relative, renewalIn, section, shortFingerprint, table } from "./parts.ts";

/** The number of rows; later expiries are renewed long before they are due. */
const NEXT = 20;

const KINDS: Readonly<Record<Expiry["kind"], readonly [string, string]>> = {
  root: ["root CA", "root CAs"],
  intermediate: ["intermediate CA", "intermediate CAs"],
  token: ["token", "tokens"],
};

function subject(expiry: Expiry, scene: Scene): Part {
  switch (expiry.kind) {
    case "root":
      return html`root CA ${shortFingerprint(expiry.fingerprint)}, trusted by ${count(expiry.members, "member")}`;
    case "intermediate":
      return html`intermediate CA of ${memberLink(expiry.clusterId, scene)} ${shortFingerprint(expiry.fingerprint)}`;
    case "token":
      return html`token with which ${memberLink(expiry.reader, scene)} reads ${memberLink(expiry.target, scene)}`;
  }
}

function loaded(expiry: Expiry): Part {
  if (expiry.kind !== "intermediate") return undefined;
  const { loadedBy, otherwise } = expiry;
  if (loadedBy + otherwise === 0) return html`<span class="warn">not known: no pod was asked</span>`;
  if (otherwise === 0) return `by ${count(loadedBy, "pod")}`;
  return html`<span class="warn">${otherwise} of ${count(loadedBy + otherwise, "pod")} serve another</span>`;
}

function cellsOf(expiry: Expiry, scene: Scene): Part[] {
  const { now } = scene;
  const past = isPast(expiry, now) ? html`<span class="badge error">expired</span> ` : undefined;
  return [html`${past}${relative(expiry.at, now)}`, subject(expiry, scene), loaded(expiry), clock(expiry.at)];
}

/** One sentence for each kind of the sorted expiries: `6 tokens: the first in 3 d, the last in 5 d`. */
function overview({ expiries, members, now }: Scene): Html {
  const away = members.filter(({ reachable }) => !reachable).length;
  return html`<ul class="facts">${EXPIRY_KINDS.flatMap((kind) => {
    const all = expiries.filter((expiry) => expiry.kind === kind);
    const [first] = all;
    const last = all.at(-1);
    if (first === undefined || last === undefined) return [];
    return html`
<li><strong>${count(all.length, ...KINDS[kind])}</strong> ${all.length > 1 ? "the first ends" : "ends"} ${relative(first.at, now)}${
      all.length > 1 ? html`, the last ${relative(last.at, now)}` : undefined
    }</li>`;
  })}${
    away === 0
      ? undefined
      : html`
<li class="warn">${count(away, "member")} not counted: what ${away === 1 ? "it holds" : "they hold"} is not known</li>`
  }
</ul>`;
}

function sentence({ status, expiries, now }: Scene): Html {
  const overdue = expiries.filter((expiry) => isPast(expiry, now)).length;
  if (overdue > 0) {
    return html`<p class="warn">${overdue} ${overdue === 1 ? "has" : "have"} ended without a renewal.</p>`;
  }
  const next =
    status.nextRenewal === null ? undefined : html` Next renewal: ${renewalIn(status.nextRenewal, now)}.`;
  return html`<p>All renew by themselves, long before they end.${next} Nothing is overdue.</p>`;
}

/** Undefined if nothing expires. */
export function expirySection(scene: Scene): Html | undefined {
  const { expiries, now } = scene;
  if (expiries.length === 0) return undefined;
  const caption =
    expiries.length > NEXT
      ? `The first ${NEXT} of ${expiries.length} to end`
      : "In the order in which they end";
  const list = table({
    id: "expiry",
    caption,
    head: ["Ends", "What", "Loaded", "At"],
    rows: expiries.slice(0, NEXT).map((expiry) => ({ cells: cellsOf(expiry, scene) })),
  });
  const isCalm = !expiries.some((expiry) => isPast(expiry, now));
  return section({
    id: "expiry",
    title: "Certificates and tokens",
    body: [sentence(scene), overview(scene), isCalm ? fold("expiry-all", caption, list) : list],
  });
}
