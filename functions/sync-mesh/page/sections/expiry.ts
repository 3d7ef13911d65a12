import { count } from "../../../../shared/core/count.ts";
import { EXPIRY_KINDS, type Expiry } from "../facts/expiries.ts";
import { parseTime } from "../facts/times.ts";
import { type Html, html, type Part } from "../html.ts";
import type { Scene } from "../scene.ts";
import { absolute, memberLink, relative, section, shortFingerprint, table } from "./parts.ts";

/** The number of rows; later expiries are renewed long before they are due. */
const NEXT = 20;

const KINDS: Readonly<Record<Expiry["kind"], readonly [string, string]>> = {
  root: ["Root CA", "Root CAs"],
  intermediate: ["Intermediate CA", "Intermediate CAs"],
  token: ["Token", "Tokens"],
};

function subject(expiry: Expiry, scene: Scene): Part {
  switch (expiry.kind) {
    case "root":
      return html`${shortFingerprint(expiry.fingerprint)} trusted by ${count(expiry.members, "member")}`;
    case "intermediate":
      return html`${memberLink(expiry.clusterId, scene)} ${shortFingerprint(expiry.fingerprint)}`;
    case "token":
      return html`of ${memberLink(expiry.reader, scene)} for ${memberLink(expiry.target, scene)}`;
  }
}

function loaded(expiry: Expiry): Part {
  if (expiry.kind !== "intermediate") return undefined;
  const { loadedBy, otherwise } = expiry;
  if (loadedBy + otherwise === 0) return html`<span class="warn">no pod seen</span>`;
  if (otherwise === 0) return `by ${count(loadedBy, "pod")}`;
  return html`<span class="warn">${otherwise} of ${count(loadedBy + otherwise, "pod")} serve another</span>`;
}

function isPast(at: string, now: Date): boolean {
  return (parseTime(at)?.getTime() ?? 0) <= now.getTime();
}

function when(at: string, now: Date): Part {
  return [isPast(at, now) ? html`<span class="badge error">expired</span> ` : "", relative(at, now)];
}

function row(expiry: Expiry, scene: Scene): Html {
  return html`
<tr><td>${when(expiry.at, scene.now)}</td><th scope="row">${KINDS[expiry.kind][0]}</th><td>${subject(expiry, scene)}</td><td>${loaded(expiry)}</td><td>${absolute(expiry.at)}</td></tr>`;
}

/** One sentence for each kind of the sorted expiries: `6 tokens: next in 3 d, last in 5 d`. */
function overview(expiries: readonly Expiry[], now: Date): Html {
  return html`<ul class="facts">${EXPIRY_KINDS.flatMap((kind) => {
    const all = expiries.filter((expiry) => expiry.kind === kind);
    const [first] = all;
    const last = all.at(-1);
    if (first === undefined || last === undefined) return [];
    const [one, many] = KINDS[kind];
    return html`
<li><strong>${count(all.length, one, many)}</strong> next ${relative(first.at, now)}${
      all.length > 1 ? html`, last ${relative(last.at, now)}` : undefined
    }</li>`;
  })}
</ul>`;
}

/** Undefined if nothing expires. */
export function expirySection(scene: Scene): Html | undefined {
  const { expiries } = scene;
  if (expiries.length === 0) return undefined;
  const body: Part = [
    overview(expiries, scene.now),
    table({
      id: "expiry",
      caption: expiries.length > NEXT ? `The next ${NEXT} of ${expiries.length} to expire` : "Next to expire",
      head: ["Expires", "What", "Of", "Loaded", "At"],
      body: html`<tbody>${expiries.slice(0, NEXT).map((expiry) => row(expiry, scene))}
</tbody>`,
    }),
  ];
  return section({ id: "expiry", title: "Certificates and tokens", body });
}
