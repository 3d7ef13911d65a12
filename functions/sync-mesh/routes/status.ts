import type { Status } from "../../../shared/core/answers/status.ts";
import { collectStatus } from "../../../shared/status.ts";
import type { Answer } from "../../http/answer.ts";
import { header } from "../../http/request.ts";
import type { Exchange } from "../../http/serve.ts";
import type { Instance } from "../instance.ts";

/** `GET /status` */
export async function getStatus(instance: Instance, exchange: Exchange): Promise<Answer> {
  return { status: 200, body: await currentStatus(instance, exchange) };
}

/** A status of a moment ago, unless the client asks for a fresh one (`no-cache`). */
export async function currentStatus(
  { status, withRun }: Instance,
  { request, log }: Exchange,
): Promise<Status> {
  const wantsFresh = /\bno-cache\b/.test(header(request, "cache-control") ?? "");
  const cached = wantsFresh ? undefined : status.get();
  if (cached !== undefined) return cached;
  const collected = await withRun(log, (run) => collectStatus(run));
  status.set(collected);
  return collected;
}
