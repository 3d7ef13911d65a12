import { describe, expect, it } from "@jest/globals";
import { sharing } from "../../../shared/istio/same-text.ts";
import { secretStates } from "../../../shared/look/secret-states.ts";
import type { KubernetesObject, ObjectMeta } from "../../../shared/ports/kubernetes-object.ts";

const OURS = { "app.kubernetes.io/managed-by": "meshjoin", "meshjoin.dev/mesh": "prod" };

function secret(metadata: ObjectMeta): KubernetesObject {
  return { apiVersion: "v1", kind: "Secret", metadata };
}

const remote = (change: Partial<ObjectMeta> = {}) =>
  secret({
    name: "istio-remote-secret-cn-a",
    uid: "1",
    resourceVersion: "10",
    labels: { ...OURS, "istio/multiCluster": "true" },
    annotations: { "networking.istio.io/cluster": "cn-a", "meshjoin.dev/endpoint-digest": "before" },
    ...change,
  });
const reader = (change: Partial<ObjectMeta> = {}) =>
  secret({
    name: "meshjoin-reader-cn-a",
    uid: "2",
    resourceVersion: "11",
    labels: { ...OURS, "meshjoin.dev/reader": "cn-a" },
    annotations: { "meshjoin.dev/cluster-id": "before" },
    ...change,
  });

const look = (secrets: readonly KubernetesObject[], before?: ReturnType<typeof secretStates>) =>
  secretStates(secrets, "prod", sharing(), before);

describe("the Secrets of a member that is looked at again", () => {
  it("are the very states of before where nothing has changed, in the order of the list", () => {
    const before = look([remote(), reader(), remote({ name: "istio-remote-secret-cn-b", uid: "3" })]);
    const after = look([remote({ name: "istio-remote-secret-cn-b", uid: "3" }), remote(), reader()], before);
    expect(after.remoteSecrets).toEqual(before.remoteSecrets.toReversed());
    expect(after.remoteSecrets[1]).toBe(before.remoteSecrets[0]);
    expect(after.readerSecrets[0]).toBe(before.readerSecrets[0]);
  });

  it.each<[string, Partial<ObjectMeta>]>([
    ["was changed", { resourceVersion: "12" }],
    ["is another of the same name", { uid: "4" }],
  ])("are read again where one %s", (_, change) => {
    const before = look([remote(), reader()]);
    const annotations = {
      "networking.istio.io/cluster": "cn-a",
      "meshjoin.dev/endpoint-digest": "after",
      "meshjoin.dev/cluster-id": "after",
    };
    const after = look([remote({ ...change, annotations }), reader({ ...change, annotations })], before);
    expect(after.remoteSecrets).toMatchObject([{ endpointDigest: "after", ...change }]);
    expect(after.readerSecrets).toMatchObject([{ readerGkeId: "after", ...change }]);
  });

  it("are gone where they are not listed any more", () => {
    expect(look([], look([remote(), reader()]))).toEqual({ remoteSecrets: [], readerSecrets: [] });
  });
});
