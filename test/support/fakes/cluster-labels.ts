import { clusterResource } from "../../../shared/core/names.ts";
import { ConflictError, RefusedError } from "../../../shared/errors.ts";
import type { ClusterLabels } from "../../../shared/ports/cluster-labels.ts";
import type { FakeClusterDirectory } from "./cluster-directory.ts";

/** The labels of the clusters in this directory; it sees a change at once. */
export function fakeClusterLabels(directory: FakeClusterDirectory): ClusterLabels {
  return {
    async set(ref, { key, value, only }, signal) {
      await directory.get(ref, signal);
      const cluster = directory.peek(ref);
      const name = clusterResource(ref);
      if (cluster === undefined) {
        throw new RefusedError(`could not read ${name}: it does not exist`, {
          cure: "correct its name",
          code: "NotFound",
        });
      }
      const present = cluster.labels[key];
      if (present === value) return false;
      if (only !== undefined && present !== undefined && present !== only) {
        throw new RefusedError(`could not label ${name}: its label ${key} is ${present}`, {
          cure: "take it off first",
          code: "LabelTaken",
        });
      }
      if (cluster.status === "PROVISIONING" || cluster.status === "STOPPING") {
        throw new ConflictError(`could not label ${name}: GKE is busy with it`, {
          cure: "try again later",
          code: "ClusterBusy",
        });
      }
      const { [key]: _, ...others } = cluster.labels;
      directory.put({ ...cluster, labels: value === undefined ? others : { ...others, [key]: value } });
      return true;
    },
  };
}
