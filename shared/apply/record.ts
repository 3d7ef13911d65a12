import type { MemberRecord } from "../core/member/record.ts";
import { recordConfigMap } from "../istio/record-config-map.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { scrub } from "../scrub.ts";
import { applyOwned } from "./owned.ts";

/** Two runs at once: the record of the later one stays. Messages may quote a server, so they are scrubbed. */
export async function applyRecord(
  api: MemberApi,
  record: MemberRecord,
  meshId: string,
  signal: AbortSignal,
): Promise<void> {
  await applyOwned(api, recordConfigMap(scrub(JSON.stringify(record)), meshId), meshId, signal);
}
