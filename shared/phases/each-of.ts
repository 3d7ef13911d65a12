import { type MemberFault, settle } from "../report.ts";

export interface Attempts<T, R> {
  readonly results: readonly R[];
  readonly failed: readonly T[];
  readonly faults: readonly MemberFault[];
}

/**
 * Each item by itself: a refusal of one keeps no other from its turn. Throws if the API server does not
 * answer any more. `id`: the member's; `doing` completes "an unexpected error while …".
 */
export async function eachOf<T, R>(
  all: readonly T[],
  id: string,
  doing: (one: T) => string,
  work: (one: T) => Promise<R>,
): Promise<Attempts<T, R>> {
  const outcomes = await Promise.all(
    all.map((one) =>
      settle<{ readonly result: R } | { readonly one: T; readonly fault: MemberFault }>(
        id,
        doing(one),
        async () => ({ result: await work(one) }),
        (fault) => ({ one, fault }),
      ),
    ),
  );
  const failed = outcomes.flatMap((each) => ("fault" in each ? [each] : []));
  const silent = failed.find(({ fault }) => fault.error.code === "ApiServerUnreachable");
  if (silent !== undefined) throw silent.fault.error;
  return {
    results: outcomes.flatMap((each) => ("fault" in each ? [] : [each.result])),
    failed: failed.map(({ one }) => one),
    faults: failed.map(({ fault }) => fault),
  };
}
