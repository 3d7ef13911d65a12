import { untilAborted } from "../async/until-aborted.ts";
import { type Check, fault, parseDiagnosis, unknown } from "../core/answers/check.ts";
import { MeshjoinError } from "../errors.ts";
import type { Examiner } from "../ports/examiner.ts";

export interface ExaminerOptions {
  readonly account: Examiner["account"];
  /** The name under which it is deployed. */
  readonly name: "examine-rotator" | "sign-intermediate";
  /** Without a slash at the end; also the audience of the tokens. */
  readonly url: string;
  readonly identityToken: (audience: string) => Promise<string>;
}

/** `GET /doctor` of a function that runs as another account. */
export function functionExaminer(options: ExaminerOptions): Examiner {
  const { account, name, url } = options;
  const subject = { name, account } as const;
  const look = `see the log of ${name}, and check that the function is deployed from this build`;
  return {
    account,
    async examine(member, signal) {
      try {
        const answer = await ask(options, member, signal);
        if (answer.status === 401 || answer.status === 403) return [notLetIn(options, answer.status)];
        const diagnosis = answer.ok ? parseDiagnosis(await answer.json()) : undefined;
        const own = diagnosis?.checks.filter((check) => check.account === account) ?? [];
        if (own.length > 0) return own;
        return [unknown(subject, `${url} answers ${answer.status}, without a check of the ${account}`, look)];
      } catch (error) {
        const [why, cure] =
          error instanceof MeshjoinError ? [error.message, error.cure] : [`${url} gives no answer`];
        return [unknown(subject, `the permissions of the ${account} are not known: ${why}`, cure ?? look)];
      }
    },
  };
}

async function ask(
  { account, url, identityToken }: ExaminerOptions,
  member: string | undefined,
  signal: AbortSignal,
): Promise<Response> {
  const address = new URL(`${url}/doctor`);
  // The signer reaches no member.
  if (member !== undefined && account === "rotator") address.searchParams.set("member", member);
  const token = await untilAborted(identityToken(url), signal);
  return await fetch(address, {
    headers: { authorization: `Bearer ${token}` },
    // The token is for this address alone.
    redirect: "manual",
    signal,
  });
}

function notLetIn({ account, name, url }: ExaminerOptions, status: number): Check {
  return fault(
    { name, account },
    `${url} does not admit the reconciler (${status}), so the permissions of the ${account} are not known`,
    `apply Terraform again: it grants the right to call ${name}`,
  );
}
