import { expect, it } from "@jest/globals";
import { clusterId } from "../../../shared/core/names.ts";
import { createLogger } from "../../../shared/log.ts";
import { logReconciled } from "../../../shared/run-log.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { configMap, istiod, namespace } from "./installations.ts";

/** The lines of severity ERROR that a full run logs. */
async function errorsOf(mesh: FakeMesh): Promise<readonly object[]> {
  const lines: { readonly severity: string }[] = [];
  const log = createLogger({ write: (line) => lines.push(JSON.parse(line)) });
  logReconciled(log, await mesh.reconcile("mesh"));
  return lines.filter(({ severity }) => severity === "ERROR");
}

const idOf = (mesh: FakeMesh, index: number) => clusterId(mesh.clusters[index]!.ref);
const ofCluster = (id: string) => ({ "logging.googleapis.com/labels": { cluster_id: id } });

it("an error that names no cluster is logged with the one that it was met at, once for each", async () => {
  const mesh = await aMesh({ members: 3 });
  const role = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "istio-reader-clusterrole-istio-system" },
    rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }],
  };
  for (const { store } of mesh.servers.slice(1)) store.write(role, "kubectl");
  const lines = await errorsOf(mesh);
  const line = { message: "step failed", code: "ForeignObject" };
  expect(lines).toHaveLength(2);
  expect(lines).toEqual(
    expect.arrayContaining(
      [1, 2].map((index) => expect.objectContaining({ ...line, ...ofCluster(idOf(mesh, index)) })),
    ),
  );
});

it("of a member that cannot be read the log has the cause", async () => {
  const mesh = await aMesh({ members: 2 });
  const edited = istiod("Kubernetes");
  const { store } = mesh.servers[0]!;
  for (const object of [namespace(), configMap("istio", { mesh: "" })]) store.write(object, "kubectl");
  store.write({ ...edited, spec: { template: { spec: { containers: [null] } } } }, "kubectl");
  expect(await errorsOf(mesh)).toMatchObject([
    {
      message: "step failed",
      code: "Unexpected",
      ...ofCluster(idOf(mesh, 0)),
      err: { cause: { name: "TypeError", stack: expect.stringContaining("controlPlaneIdentity") } },
    },
  ]);
});
