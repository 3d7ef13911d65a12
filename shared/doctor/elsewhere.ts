import { type Check, unknown } from "../core/answers/check.ts";
import type { Examiner } from "../ports/examiner.ts";
import { withinDeadline } from "./deadline.ts";

/** By which variable each is found; docs/reference/config.md. */
const FOUND_BY = {
  rotator: "MESHJOIN_EXAMINE_ROTATOR_URL",
  signer: "MESHJOIN_SIGNER_URL",
} as const satisfies Record<Examiner["account"], string>;

/** The accounts that this process does not run as, by their own word. Of one that nobody can ask nothing is known. */
export async function examineElsewhere(
  examiners: readonly Examiner[],
  member: string | undefined,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const limit = withinDeadline(signal);
  const asked = (["rotator", "signer"] as const).map(async (account) => {
    const examiner = examiners.find((each) => each.account === account);
    return examiner === undefined ? [notFound(account)] : await examiner.examine(member, limit);
  });
  return (await Promise.all(asked)).flat();
}

function notFound(account: Examiner["account"]): Check {
  const variable = FOUND_BY[account];
  return unknown(
    { name: "account", account },
    `${variable} is not set, so what the ${account} is allowed is not known`,
    `set ${variable}, as Terraform does`,
  );
}
