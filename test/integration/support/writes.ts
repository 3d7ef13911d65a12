import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { SandboxFleet } from "../../../sandbox/fleet.ts";
import type { FleetMember } from "../../../sandbox/fleet-file.ts";

/** Of an `audit.k8s.io/v1` event. */
interface AuditEvent {
  readonly verb: string;
  readonly user: { readonly username?: string };
  readonly requestURI: string;
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string; readonly name?: string };
  readonly responseStatus?: { readonly code?: number };
}

const WRITES = new Set(["create", "update", "patch", "delete", "deletecollection"]);
/** Created to ask something; nothing is kept. */
const QUESTIONS = new Set(["tokenreviews", "selfsubjectaccessreviews", "subjectaccessreviews"]);

/**
 * What the reconciler wrote to a member so far, as `verb resource/subresource name`, in order; taken from the API
 * server's own audit log. Refused writes, dry runs, reviews and port-forwards are no writes.
 */
export async function writesTo(fleet: SandboxFleet, member: FleetMember): Promise<readonly string[]> {
  const path = join(fleet.file().logDir, member.clusterId, "audit.jsonl");
  const events = (await readFile(path, "utf8"))
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .map((line): AuditEvent => JSON.parse(line));
  return events
    .filter(
      ({ user, verb, requestURI, objectRef, responseStatus }) =>
        user.username === fleet.accounts.reconciler &&
        WRITES.has(verb) &&
        !requestURI.includes("dryRun=All") &&
        (responseStatus?.code ?? 0) < 300 &&
        !QUESTIONS.has(objectRef?.resource ?? "") &&
        objectRef?.subresource !== "portforward",
    )
    .map(({ verb, objectRef: { resource, subresource, name } = {} }) =>
      [verb, [resource, subresource].filter(Boolean).join("/"), name].filter(Boolean).join(" "),
    );
}
