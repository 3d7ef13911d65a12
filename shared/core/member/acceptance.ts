import { formatRootVersions, type RootVersions } from "../roots/state.ts";

/** Why a foreign `cacerts` was accepted. While all of it holds, Meshjoin does not read the key again. */
export interface Acceptance {
  /** Of the Secret. */
  readonly resourceVersion: string;
  /** The roots of the mesh. */
  readonly rootVersions: RootVersions;
  /** When the first certificate in it expires. */
  readonly until: Date;
}

/** The annotation `accepted-cacerts` of Istio's namespace: the Secret itself is not ours to write on. */
export function formatAcceptance({ resourceVersion, rootVersions, until }: Acceptance): string {
  return `${resourceVersion} ${formatRootVersions(rootVersions)} ${until.toISOString()}`;
}

/** Whether the note still holds. A text of any other form never does. */
export function isAccepted(
  note: string,
  { resourceVersion, rootVersions }: Omit<Acceptance, "until">,
  now: Date,
): boolean {
  const [version, roots, until = ""] = note.split(" ");
  const isSame = version === resourceVersion && roots === formatRootVersions(rootVersions);
  return isSame && Date.parse(until) > now.getTime();
}
