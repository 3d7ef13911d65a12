import { type Check, fine } from "../core/answers/check.ts";
import type { CallerIdentity } from "../ports/caller-identity.ts";
import { notRead } from "./google.ts";

export interface Caller {
  readonly check: Check;
  readonly email: string | undefined;
}

const LOGIN = "gcloud auth application-default login";

/** The account that Google sees in this process. */
export async function checkCredentials(caller: CallerIdentity): Promise<Caller> {
  const subject = { name: "credentials", account: "caller" } as const;
  try {
    const email = await caller.email();
    return { check: fine(subject, email ?? "an account whose name the credentials do not tell"), email };
  } catch (error) {
    return {
      check: notRead(subject, error, (message) => message, { NoCredentials: LOGIN }),
      email: undefined,
    };
  }
}
