import type { protos } from "@google-cloud/container";
import { lazily } from "../async/lazily.ts";
import type { ClusterRef } from "../core/cluster/cluster.ts";
import { clusterResource } from "../core/names.ts";
import { UnavailableError } from "../errors.ts";
import type { ClusterOperations } from "../ports/cluster-operations.ts";
import { connectGke, type GkeOptions } from "./cluster-directory.ts";
import { callOptions, fromGoogleError } from "./google-client.ts";

type Operation = protos.google.container.v1.IOperation;

/** `google.container.v1.Operation.Status`; PENDING, RUNNING, ABORTING and one that is new are not over. */
const DONE: readonly unknown[] = ["DONE", 3];

/**
 * The operations of the cluster's location:
 * https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.operations/list
 */
export function gkeOperations(options: GkeOptions = {}): ClusterOperations {
  const client = lazily(() => connectGke(options));
  return {
    async running(ref, signal) {
      const parent = `projects/${ref.project}/locations/${ref.location}`;
      const [answer] = await (await client())
        .listOperations({ parent }, callOptions(signal))
        .catch((error: unknown) => {
          throw fromGoogleError(error, callOn(ref));
        });
      const missing = answer.missingZones ?? [];
      if (missing.length > 0) {
        throw new UnavailableError(`could not ${callOn(ref).attempt}: ${missing.join(", ")} did not answer`, {
          code: "Unavailable",
          fields: callOn(ref).fields,
        });
      }
      const operations: readonly Operation[] = answer.operations ?? [];
      return operations
        .filter((operation) => !DONE.includes(operation.status) && isOn(operation, ref))
        .map(({ operationType }) => String(operationType ?? "an operation"));
    },
  };
}

/** `…/projects/NUMBER/zones/LOCATION/clusters/NAME`, or `/nodePools/POOL` of it; projects by number. */
function isOn({ targetLink }: Operation, { location, name }: ClusterRef): boolean {
  const found = /\/(?:locations|regions|zones)\/(?<place>[^/]+)\/clusters\/(?<cluster>[^/]+)/.exec(
    targetLink ?? "",
  );
  // One whose target nobody can read may be about this cluster.
  if (found?.groups === undefined) return true;
  return found.groups["place"] === location && found.groups["cluster"] === name;
}

function callOn(ref: ClusterRef) {
  return {
    attempt: `list the operations on ${clusterResource(ref)}`,
    permission: "container.operations.list",
    resource: `project ${ref.project}`,
    fields: { cluster: clusterResource(ref) },
  };
}
