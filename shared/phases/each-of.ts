import { type Fault, settle } from "../report.ts";

export interface Tried<T, R> {
  readonly done: readonly R[];
  readonly failed: readonly T[];
  readonly faults: readonly Fault[];
}

/**
 * Each by itself: what the API server refuses of one keeps no other from its turn. One that does not answer any more throws.
 * `id`: the member's; `doing` completes "an unexpected error while …".
 */
export async function eachOf<T, R>(
  all: readonly T[],
  id: string,
  doing: (one: T) => string,
  work: (one: T) => Promise<R>,
): Promise<Tried<T, R>> {
  const tried = await Promise.all(
    all.map((one) =>
      settle<{ readonly result: R } | { readonly one: T; readonly fault: Fault }>(
        id,
        doing(one),
        async () => ({ result: await work(one) }),
        (fault) => ({ one, fault }),
      ),
    ),
  );
  const failed = tried.flatMap((each) => ("fault" in each ? [each] : []));
  const silent = failed.find(({ fault }) => fault.error.code === "ApiServerUnreachable");
  if (silent !== undefined) throw silent.fault.error;
  return {
    done: tried.flatMap((each) => ("fault" in each ? [] : [each.result])),
    failed: failed.map(({ one }) => one),
    faults: failed.map(({ fault }) => fault),
  };
}
