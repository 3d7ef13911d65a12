import type { MemberRecord } from "../core/member/record.ts";
import { ConflictError } from "../errors.ts";
import { RECORD, readRecord, recordConfigMap } from "../istio/record-config-map.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { scrub } from "../scrub.ts";
import { applyOwned } from "./owned.ts";

/** Losing more races than this means a fault. */
const ATTEMPTS = 3;

/**
 * Changes the record as it stands now; another run may have written it since the look. A change that gives
 * the same record writes nothing. Messages may quote a server, so they are scrubbed.
 */
export async function changeRecord(
  api: MemberApi,
  change: (before: MemberRecord) => MemberRecord,
  meshId: string,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const existing = await api.reader.get(RECORD, signal);
    const before = readRecord(existing, meshId);
    const after = change(before);
    if (after === before) return;
    const written = recordConfigMap(scrub(JSON.stringify(after)), meshId);
    const resourceVersion = existing?.metadata.resourceVersion;
    const metadata =
      resourceVersion === undefined ? written.metadata : { ...written.metadata, resourceVersion };
    try {
      await applyOwned(api, { ...written, metadata }, meshId, signal);
      return;
    } catch (error) {
      const hasMoved = error instanceof ConflictError && error.code === "Conflict";
      if (!hasMoved || attempt >= ATTEMPTS) throw error;
    }
  }
}
