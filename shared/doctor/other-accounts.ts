import { type Check, unknown } from "../core/answers/check.ts";
import type { Examiner } from "../ports/examiner.ts";
import { withinDeadline } from "./deadline.ts";

/** The variable that holds each one's URL; docs/reference/config.md. */
const FOUND_BY = {
  rotator: "MESHJOIN_EXAMINE_ROTATOR_URL",
  signer: "MESHJOIN_SIGNER_URL",
} as const satisfies Record<Examiner["account"], string>;

/** The checks that the rotator and the signer report of themselves; unknown for one that cannot be asked. */
export async function examineElsewhere(
  examiners: readonly Examiner[],
  member: string | undefined,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const limit = withinDeadline(signal);
  const checks = (["rotator", "signer"] as const).map(async (account) => {
    const examiner = examiners.find((each) => each.account === account);
    return examiner === undefined ? [notFound(account)] : await examiner.examine(member, limit);
  });
  return (await Promise.all(checks)).flat();
}

function notFound(account: Examiner["account"]): Check {
  const variable = FOUND_BY[account];
  return unknown(
    { name: "account", account },
    `${variable} is not set, so the permissions of the ${account} are not known`,
    `set ${variable}, as Terraform does`,
  );
}
