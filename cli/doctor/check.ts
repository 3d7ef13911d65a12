/** One thing that has been looked at. */
export interface Check {
  readonly check: "configuration" | "manifest" | "credentials" | "clusters" | "root" | "member" | "network";
  /** A project, a secret or a cluster ID, where there is more than one of the kind. */
  readonly about?: string;
  readonly ok: boolean;
  readonly message: string;
  /** The command, or failing that the words, that mend what is wrong. */
  readonly cure?: string;
}

export interface Diagnosis {
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

type Subject = Pick<Check, "check" | "about">;

export function fine(subject: Subject, message: string): Check {
  return { ...subject, ok: true, message };
}

export function fault(subject: Subject, message: string, cure?: string): Check {
  return { ...subject, ok: false, message, ...(cure === undefined ? {} : { cure }) };
}
