import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { ISTIO_NAMESPACE, READER_SERVICE_ACCOUNT } from "../../shared/core/names.ts";
import { newlyOwned } from "../../shared/istio/drift.ts";
import { editorOf } from "../../shared/istio/edited.ts";
import type { KubernetesObject } from "../../shared/ports/kubernetes-object.ts";
import type { MemberApi, ObjectRef, ProbeSession } from "../../shared/ports/member-api.ts";

/** One API server, as Meshjoin and as other callers use it. */
export interface MemberWorld {
  readonly api: MemberApi;
  /** The same server for a caller who may do nothing. */
  readonly stranger: MemberApi;
  /** Breaks every connection that is open. */
  interrupt(): void;
  /** Server-side apply with force, as another field manager. */
  applyAs(manager: string, object: KubernetesObject): Promise<void>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 60_000;
/** kube-apiserver remembers for 10 s whether a token was good; `pkg/kubeapiserver/authenticator`. */
const REVOCATION_MS = 30_000;
const HOUR = 3600;

let counter = 0;
/** A name of its own for every object: the tests share one API server. */
function aName(): string {
  counter += 1;
  return `object-${counter}`;
}

function aConfigMap(data: Record<string, string>, metadata: object = {}): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: aName(), namespace: ISTIO_NAMESPACE, ...metadata },
    data,
  };
}

function aSecret(metadata: object = {}): KubernetesObject {
  const data = { key: Buffer.from("hidden").toString("base64") };
  return { ...aConfigMap(data, metadata), kind: "Secret", type: "Opaque" };
}

function aDeployment({
  image,
  variables = ["A"],
}: {
  image: string;
  variables?: string[];
}): KubernetesObject {
  const labels = { app: "main" };
  const env = variables.map((name) => ({ name, value: "1" }));
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: aName(), namespace: ISTIO_NAMESPACE },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "main", image, env }] } },
    },
  };
}

function refOf({ apiVersion, kind, metadata: { name, namespace } }: KubernetesObject): ObjectRef {
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

function withVersion(object: KubernetesObject, resourceVersion: string | undefined): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: resourceVersion ?? "" } };
}

function withData(object: KubernetesObject, data: Record<string, string>): KubernetesObject {
  return { ...object, data };
}

export function describeMemberApi(name: string, start: () => Promise<MemberWorld>): void {
  describe(`${name} as a MemberApi`, () => {
    let world: MemberWorld;
    let api: MemberApi;
    beforeAll(async () => {
      world = await start();
      ({ api } = world);
      await api.writer.create({
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: ISTIO_NAMESPACE },
      });
      await api.writer.create({
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: { name: READER_SERVICE_ACCOUNT, namespace: ISTIO_NAMESPACE },
      });
    }, TIMEOUT_MS);
    afterAll(() => world.close(), TIMEOUT_MS);

    /** Fails when it is gone. */
    const read = async (object: KubernetesObject) => {
      const found = await api.reader.get(refOf(object));
      if (found === undefined) throw new Error(`${object.metadata.name} is gone`);
      return found;
    };

    describe("create", () => {
      it("answers metadata and no data", async () => {
        const created = await api.writer.create(aSecret({ labels: { a: "b" } }));
        expect(created.metadata).toMatchObject({
          uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
          resourceVersion: expect.stringMatching(/^\d+$/),
          labels: { a: "b" },
        });
        expect(created).not.toHaveProperty("data");
      });

      it("leaves an object of the name as it is", async () => {
        const first = aConfigMap({ a: "1" });
        const { metadata } = await api.writer.create(first);
        await expect(api.writer.create(withData(first, { a: "2" }))).rejects.toMatchObject({
          name: "ConflictError",
          code: "AlreadyExists",
        });
        expect(await read(first)).toMatchObject({
          data: { a: "1" },
          metadata: { resourceVersion: metadata.resourceVersion },
        });
      });

      it("fails in a namespace that does not exist", async () => {
        await expect(api.writer.create(aConfigMap({}, { namespace: "nowhere" }))).rejects.toMatchObject({
          name: "ConflictError",
          code: "NotFound",
          message: expect.stringContaining("nowhere"),
        });
      });

      it("fails in a namespace that is being deleted", async () => {
        const namespace: KubernetesObject = {
          apiVersion: "v1",
          kind: "Namespace",
          metadata: { name: aName() },
        };
        const { metadata } = await api.writer.create(namespace);
        const inside = { namespace: metadata.name };
        await api.writer.create(aConfigMap({}, { ...inside, finalizers: ["example.com/held"] }));
        await api.writer.delete(refOf(namespace), metadata.uid ?? "");

        expect((await read(namespace)).metadata.deletionTimestamp).toBeDefined();
        const refused = { name: "ConflictError", code: "NamespaceTerminating" };
        await expect(api.writer.create(aConfigMap({}, inside))).rejects.toMatchObject(refused);
        await expect(api.writer.apply(aConfigMap({}, inside))).rejects.toMatchObject(refused);
      });
    });

    describe("replace", () => {
      it("writes the whole object", async () => {
        const object = aConfigMap({ a: "1", b: "1" });
        const { metadata } = await api.writer.create(object);
        const replaced = await api.writer.replace(
          withVersion(withData(object, { b: "2" }), metadata.resourceVersion),
        );
        const found = await read(object);
        expect(found["data"]).toEqual({ b: "2" });
        expect(found.metadata).toMatchObject({
          uid: metadata.uid,
          resourceVersion: replaced.metadata.resourceVersion,
        });
        expect(replaced).not.toHaveProperty("data");
      });

      it("leaves an object that moved on as it is", async () => {
        const object = aConfigMap({ a: "1" });
        const { metadata } = await api.writer.create(object);
        await world.applyAs("kubectl", withData(object, { a: "2" }));
        await expect(
          api.writer.replace(withVersion(withData(object, { a: "3" }), metadata.resourceVersion)),
        ).rejects.toMatchObject({ name: "ConflictError", code: "Conflict" });
        expect((await read(object))["data"]).toEqual({ a: "2" });
      });

      it("does not bring back an object that is gone", async () => {
        const object = aConfigMap({ a: "1" });
        await expect(api.writer.replace(withVersion(object, "1"))).rejects.toMatchObject({
          name: "ConflictError",
          code: "NotFound",
        });
        expect(await api.reader.get(refOf(object))).toBeUndefined();
      });
    });

    describe("apply", () => {
      it("creates, and does nothing the second time", async () => {
        const object = aConfigMap({ a: "1" }, { labels: { x: "y" } });
        const first = await api.writer.apply(object);
        const second = await api.writer.apply(object);
        expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
        expect(first).not.toHaveProperty("data");
        expect((await read(object))["data"]).toEqual({ a: "1" });
      });

      it("takes away what it does not hold any more, and nothing of others", async () => {
        const object = aConfigMap({ a: "1", b: "1" });
        await api.writer.apply(object);
        await world.applyAs("kubectl", withData(object, { c: "1" }));
        await api.writer.apply(withData(object, { a: "1" }));
        expect((await read(object))["data"]).toEqual({ a: "1", c: "1" });
      });

      it("leaves a field that two hold until both let go", async () => {
        const object = aConfigMap({ a: "1" });
        await api.writer.apply(object);
        await world.applyAs("kubectl", object);
        await api.writer.apply(withData(object, {}));
        expect((await read(object))["data"]).toEqual({ a: "1" });
      });

      it("names who owns a field of another value, and writes nothing", async () => {
        const object = aConfigMap({ a: "1", b: "1" });
        await api.writer.apply(object);
        await world.applyAs("kubectl", withData(object, { a: "2" }));
        const before = await read(object);
        await expect(api.writer.apply(withData(object, { a: "1", b: "3" }))).rejects.toMatchObject({
          name: "ConflictError",
          code: "FieldConflict",
          fields: { managers: "kubectl" },
        });
        expect(await read(object)).toEqual(before);
      });

      it("takes a field over by force", async () => {
        const object = aConfigMap({ a: "1" });
        await api.writer.apply(object);
        await world.applyAs("kubectl", withData(object, { a: "2" }));
        await api.writer.apply(object, { force: true });
        expect((await read(object))["data"]).toEqual({ a: "1" });
        await api.writer.apply(withData(object, { a: "3" }));
        expect((await read(object))["data"]).toEqual({ a: "3" });
      });

      it("is conditional on a resourceVersion", async () => {
        const object = aConfigMap({ a: "1" });
        const { metadata } = await api.writer.create(object);
        const annotated = (version: string | undefined, value: string): KubernetesObject => ({
          ...withVersion(object, version),
          metadata: {
            ...object.metadata,
            resourceVersion: version ?? "",
            annotations: { "example.com/seen": value },
          },
        });
        await api.writer.apply(annotated(metadata.resourceVersion, "first"));
        await expect(api.writer.apply(annotated(metadata.resourceVersion, "second"))).rejects.toMatchObject({
          name: "ConflictError",
          code: "Conflict",
        });
        expect((await read(object)).metadata.annotations).toEqual({ "example.com/seen": "first" });
      });

      it("does not bring back an object that is gone when it names a UID", async () => {
        const object = aConfigMap({ a: "1" });
        const metadata = { ...object.metadata, uid: "00000000-0000-4000-8000-000000000000" };
        await expect(api.writer.apply({ ...object, metadata })).rejects.toMatchObject({
          name: "ConflictError",
          code: "Conflict",
        });
        expect(await api.reader.get(refOf(object))).toBeUndefined();
      });

      it("brings back an object that is gone when it names its resourceVersion alone", async () => {
        const object = aConfigMap({ a: "1" });
        await api.writer.apply(withVersion(object, "1"));
        expect(await read(object)).toMatchObject({ data: { a: "1" } });
      });

      it("fails in a namespace that does not exist", async () => {
        await expect(api.writer.apply(aConfigMap({}, { namespace: "nowhere" }))).rejects.toMatchObject({
          name: "ConflictError",
          code: "NotFound",
        });
      });

      it("leaves to istiod what istiod has set in a webhook", async () => {
        const webhook = (fields: object): KubernetesObject => ({
          apiVersion: "admissionregistration.k8s.io/v1",
          kind: "ValidatingWebhookConfiguration",
          metadata: { name: "webhooks" },
          webhooks: [
            {
              name: "a.example.com",
              admissionReviewVersions: ["v1"],
              sideEffects: "None",
              rules: [
                {
                  apiGroups: ["example.com"],
                  apiVersions: ["v1"],
                  operations: ["CREATE"],
                  resources: ["as"],
                },
              ],
              clientConfig: { service: { name: "istiod", namespace: ISTIO_NAMESPACE } },
              ...fields,
            },
          ],
        });
        const service = { name: "istiod", namespace: ISTIO_NAMESPACE };
        await api.writer.create(webhook({ failurePolicy: "Ignore" }));
        await world.applyAs(
          "pilot-discovery",
          webhook({ failurePolicy: "Fail", clientConfig: { service, caBundle: CA_BUNDLE } }),
        );
        await api.writer.apply(webhook({ timeoutSeconds: 5 }), { force: true });
        expect((await read(webhook({})))["webhooks"]).toEqual([
          expect.objectContaining({
            failurePolicy: "Fail",
            timeoutSeconds: 5,
            clientConfig: { service: expect.objectContaining(service), caBundle: CA_BUNDLE },
          }),
        ]);
      });

      it("takes away an item of a list that is known by its name, with all that is in it", async () => {
        const before = aDeployment({ image: "a:1", variables: ["A", "B"] });
        await api.writer.apply(before);
        await api.writer.apply({
          ...aDeployment({ image: "a:1", variables: ["B"] }),
          metadata: before.metadata,
        });
        const found = await api.reader.get(refOf(before));
        const env = [{ name: "B", value: "1" }];
        expect(found).toMatchObject({
          spec: { template: { spec: { containers: [{ name: "main", env }] } } },
        });
      });

      it("counts a generation for every change of what is desired, and for no other", async () => {
        const first = aDeployment({ image: "a:1" });
        const labelled = { ...first, metadata: { ...first.metadata, labels: { x: "y" } } };
        const another = { ...aDeployment({ image: "a:2" }), metadata: first.metadata };
        const generations = [];
        for (const object of [first, labelled, another]) {
          generations.push((await api.writer.apply(object)).metadata.generation);
        }
        expect(generations).toEqual([1, 1, 2]);
      });
    });

    describe("a dry run of apply", () => {
      it("answers who would own what, and writes nothing", async () => {
        const object = aConfigMap({ a: "1", b: "1" });
        await api.writer.apply(object);
        const { metadata } = await read(object);
        const dry = () => api.writer.apply(object, { force: true, dryRun: true });
        expect(newlyOwned(metadata, (await dry()).metadata)).toEqual([]);

        await world.applyAs("kubectl", withData(object, { a: "2" }));
        const edited = await read(object);
        const owners = newlyOwned(edited.metadata, (await dry()).metadata);
        expect(owners).toEqual(["kubectl"]);
        expect(await read(object)).toEqual(edited);
      });
    });

    describe("managedFields", () => {
      const annotations = { "meshjoin.dev/cluster-id": "1" };
      const written = { data: ["key"], annotations: ["cluster-id"], at: undefined };
      const editor = async ({ metadata }: KubernetesObject) => {
        const query = { apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE, metadataOnly: true };
        const found = (await api.reader.list(query)).find((each) => each.metadata.name === metadata.name);
        return editorOf(found?.metadata ?? metadata, written);
      };

      it("show in the metadata who has changed a Secret since it was written", async () => {
        const secret = aSecret({ annotations });
        await api.writer.create(secret);
        expect(await editor(secret)).toBeUndefined();
        await world.applyAs("kubectl", withData(secret, { key: Buffer.from("other").toString("base64") }));
        expect(await editor(secret)).toBe("kubectl");
        const { resourceVersion } = (await read(secret)).metadata;
        await api.writer.replace(withVersion(secret, resourceVersion));
        expect(await editor(secret)).toBeUndefined();
      });

      it("show that something was taken away", async () => {
        const secret = aSecret({ annotations });
        await api.writer.create(secret);
        const { resourceVersion } = (await read(secret)).metadata;
        await api.writer.replace(withVersion(withData(secret, {}), resourceVersion));
        expect(await editor(secret)).toBe("another manager");
      });

      it("leave it Meshjoin's when Meshjoin notes something", async () => {
        const secret = aSecret({ annotations });
        const { metadata } = await api.writer.create(secret);
        const { uid = "" } = metadata;
        const noted = { name: secret.metadata.name, namespace: ISTIO_NAMESPACE, uid };
        await api.writer.apply({
          apiVersion: "v1",
          kind: "Secret",
          metadata: { ...noted, annotations: { "meshjoin.dev/loaded-at": "now" } },
        });
        expect(await editor(secret)).toBeUndefined();
      });
    });

    describe("delete", () => {
      it("removes the very object", async () => {
        const object = aConfigMap({});
        const { metadata } = await api.writer.create(object);
        await api.writer.delete(refOf(object), metadata.uid ?? "");
        expect(await api.reader.get(refOf(object))).toBeUndefined();
      });

      it("leaves another object of the name", async () => {
        const object = aConfigMap({});
        await api.writer.create(object);
        await api.writer.delete(refOf(object), "00000000-0000-4000-8000-000000000000");
        expect(await api.reader.get(refOf(object))).toBeDefined();
      });

      it("leaves an object that has changed since it was seen", async () => {
        const object = aConfigMap({});
        const { metadata } = await api.writer.create(object);
        const seen = { uid: metadata.uid ?? "", resourceVersion: metadata.resourceVersion ?? "" };
        const changed = await api.writer.replace({ ...object, metadata, data: { changed: "yes" } });
        await api.writer.delete(refOf(object), seen);
        expect(await api.reader.get(refOf(object))).toBeDefined();
        const now = changed.metadata.resourceVersion ?? "";
        await api.writer.delete(refOf(object), { ...seen, resourceVersion: now });
        expect(await api.reader.get(refOf(object))).toBeUndefined();
      });

      it("takes with it what it owns, and nothing that another object owns as well", async () => {
        const make = async () => {
          const secret = aSecret();
          return { ...secret, metadata: (await api.writer.create(secret)).metadata };
        };
        const [owner, other] = [await make(), await make()];
        const ownedBy = (...owners: readonly KubernetesObject[]) => {
          const ownerReferences = owners.map(({ apiVersion, kind, metadata }) => ({
            apiVersion,
            kind,
            name: metadata.name,
            uid: metadata.uid,
          }));
          return aConfigMap({}, { ownerReferences });
        };
        const [dependent, shared] = [ownedBy(owner), ownedBy(owner, other)];
        await api.writer.apply(dependent);
        await api.writer.apply(shared);
        await api.writer.delete(refOf(owner), owner.metadata.uid ?? "");
        const isGone = (seen: readonly KubernetesObject[]) =>
          !seen.some(({ metadata }) => metadata.name === dependent.metadata.name);
        const query = { apiVersion: "v1", kind: "ConfigMap", namespace: ISTIO_NAMESPACE };
        const seen = await api.reader.until(query, isGone, AbortSignal.timeout(TIMEOUT_MS));
        expect(isGone(seen)).toBe(true);
        expect(await read(shared)).toBeDefined();
      });

      it("does nothing when the object is gone", async () => {
        await expect(api.writer.delete(refOf(aConfigMap({})), "any")).resolves.toBeUndefined();
      });
    });

    describe("get and list", () => {
      it("answer nothing where nothing is", async () => {
        expect(await api.reader.get(refOf(aConfigMap({})))).toBeUndefined();
        expect(await api.reader.list({ apiVersion: "v1", kind: "Secret", namespace: "nowhere" })).toEqual([]);
      });

      it("answer the whole object with its kind", async () => {
        const secret = aSecret({ labels: { list: "whole" } });
        await api.writer.create(secret);
        const query = { apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE };
        const whole = { apiVersion: "v1", kind: "Secret", data: secret["data"] };
        expect(await read(secret)).toMatchObject(whole);
        expect(await api.reader.list({ ...query, labelSelector: "list=whole" })).toMatchObject([whole]);
      });

      it("leave data out of metadata", async () => {
        const secret = aSecret({ labels: { list: "metadata" }, annotations: { a: "b" } });
        await api.writer.create(secret);
        const [found, ...others] = await api.reader.list({
          apiVersion: "v1",
          kind: "Secret",
          namespace: ISTIO_NAMESPACE,
          labelSelector: "list=metadata",
          metadataOnly: true,
        });
        expect(others).toEqual([]);
        expect(found).toMatchObject({
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: secret.metadata.name, annotations: { a: "b" } },
        });
        expect(JSON.stringify(found)).not.toContain(Buffer.from("hidden").toString("base64"));
      });

      it.each([
        ["a label's value", { labelSelector: "select=one" }, ["one"]],
        ["a label at all", { labelSelector: "select" }, ["one", "two"]],
        ["another value", { labelSelector: "select,select!=one" }, ["two"]],
        ["a name", { fieldSelector: "metadata.name=selected-two" }, ["two"]],
      ])("select by %s", async (_, selector, expected) => {
        for (const value of ["one", "two"]) {
          await api.writer.apply(aConfigMap({}, { name: `selected-${value}`, labels: { select: value } }));
        }
        const query = { apiVersion: "v1", kind: "ConfigMap", namespace: ISTIO_NAMESPACE };
        const found = await api.reader.list({ ...query, ...selector });
        expect(found.map(({ metadata }) => metadata.labels?.["select"])).toEqual(expected);
      });
    });

    it("select events by their reason", async () => {
      const involvedObject = { kind: "ReplicaSet", namespace: ISTIO_NAMESPACE, name: "web" };
      const namespace = ISTIO_NAMESPACE;
      for (const reason of ["FailedCreate", "SuccessfulCreate"]) {
        const metadata = { name: reason.toLowerCase(), namespace };
        await api.writer.create({ apiVersion: "v1", kind: "Event", metadata, reason, involvedObject });
      }
      const query = { apiVersion: "v1", kind: "Event", namespace, fieldSelector: "reason=FailedCreate" };
      expect(await api.reader.list(query)).toMatchObject([{ reason: "FailedCreate", involvedObject }]);
    });

    it("select Secrets by their type", async () => {
      const metadata = { name: "selected-by-type", namespace: ISTIO_NAMESPACE };
      await api.writer.create({ apiVersion: "v1", kind: "Secret", metadata, type: "example.org/other" });
      const found = async (type: string) => {
        const fieldSelector = `metadata.name=${metadata.name},type=${type}`;
        const query = { apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE, fieldSelector };
        return await api.reader.list({ ...query, metadataOnly: true });
      };
      expect(await found("example.org/other")).toMatchObject([{ metadata }]);
      expect(await found("kubernetes.io/tls")).toEqual([]);
    });

    describe("of a kind whose definition is absent", () => {
      const rule: KubernetesObject = {
        apiVersion: "networking.istio.io/v1",
        kind: "DestinationRule",
        metadata: { name: "a-rule", namespace: ISTIO_NAMESPACE },
        spec: { host: "*" },
      };
      const { apiVersion, kind } = rule;
      it.each<[string, () => Promise<unknown>]>([
        ["get", () => api.reader.get(refOf(rule))],
        ["list", () => api.reader.list({ apiVersion, kind })],
        ["create", () => api.writer.create(rule)],
        ["apply", () => api.writer.apply(rule)],
        ["delete", () => api.writer.delete(refOf(rule), "d9607e19-f88f-11e6-a518-42010a800195")],
      ])("%s fails, and may be asked again", async (_, request) => {
        await expect(request()).rejects.toMatchObject({ code: "KindNotServed", retryable: true });
      });
    });

    describe("until", () => {
      const watched = ({ metadata }: KubernetesObject) => ({
        apiVersion: "v1",
        kind: "ConfigMap",
        namespace: ISTIO_NAMESPACE,
        fieldSelector: `metadata.name=${metadata.name}`,
      });
      const holds = (value: string) => (objects: readonly KubernetesObject[]) =>
        objects.some((object) => JSON.stringify(object["data"]) === JSON.stringify({ a: value }));

      it("sees what is there already", async () => {
        const object = aConfigMap({ a: "1" });
        await api.writer.create(object);
        const seen = await api.reader.until(watched(object), holds("1"), AbortSignal.timeout(10_000));
        expect(seen).toMatchObject([{ kind: "ConfigMap", data: { a: "1" } }]);
      });

      it("sees what comes later", async () => {
        const object = aConfigMap({ a: "1" });
        await api.writer.create(object);
        const seen = api.reader.until(watched(object), holds("2"), AbortSignal.timeout(10_000));
        await sleep(100);
        await api.writer.apply(withData(object, { a: "2" }), { force: true });
        expect(await seen).toMatchObject([{ data: { a: "2" } }]);
      });

      it("goes on when the connection breaks", async () => {
        const object = aConfigMap({ a: "1" });
        await api.writer.create(object);
        const seen = api.reader.until(watched(object), holds("2"), AbortSignal.timeout(10_000));
        await sleep(100);
        world.interrupt();
        await api.writer.apply(withData(object, { a: "2" }), { force: true }).catch(async () => {
          await api.writer.apply(withData(object, { a: "2" }), { force: true });
        });
        expect(await seen).toMatchObject([{ data: { a: "2" } }]);
      });

      it("answers what it saw last when it is aborted", async () => {
        const object = aConfigMap({ a: "1" });
        await api.writer.create(object);
        const giveUp = new AbortController();
        const seenOnce = ({ length }: readonly unknown[]) => {
          if (length > 0) giveUp.abort();
          return false;
        };
        const seen = await api.reader.until(watched(object), seenOnce, giveUp.signal);
        expect(seen).toMatchObject([{ data: { a: "1" } }]);
      });
    });

    describe("istiod", () => {
      it("of a pod that is not there cannot be asked", async () => {
        const session = api.istiod.open("istiod-0");
        await expect(session.remoteClusters()).rejects.toMatchObject({ code: "NotFound", retryable: true });
        await expect(session.networkGateways()).rejects.toMatchObject({ code: "NotFound", retryable: true });
        await expect(session.connectedProxies()).rejects.toMatchObject({ code: "NotFound", retryable: true });
        await expect(session.servedChain()).rejects.toMatchObject({ code: "NotFound", retryable: true });
        session.close();
      });

      it("cannot be asked once the time is up", async () => {
        const session = api.istiod.open("istiod-0");
        const late = { code: "ApiServerUnreachable", retryable: true };
        await expect(session.remoteClusters(AbortSignal.abort())).rejects.toMatchObject(late);
        await expect(session.networkGateways(AbortSignal.abort())).rejects.toMatchObject(late);
        await expect(session.connectedProxies(AbortSignal.abort())).rejects.toMatchObject(late);
        await expect(session.servedChain(AbortSignal.abort())).rejects.toMatchObject(late);
        session.close();
      });

      it("may not be asked by a caller without the permission, and asking again does not help", async () => {
        const session = world.stranger.istiod.open("istiod-0");
        const refused = { code: "Forbidden", retryable: false };
        await expect(session.remoteClusters()).rejects.toMatchObject(refused);
        await expect(session.networkGateways()).rejects.toMatchObject(refused);
        await expect(session.connectedProxies()).rejects.toMatchObject(refused);
        await expect(session.servedChain()).rejects.toMatchObject(refused);
        session.close();
      });
    });

    describe("probe", () => {
      const QUESTIONS = {
        ask: (session: ProbeSession, signal?: AbortSignal) => session.ask(["cn-shop-b"], signal),
        endpoints: (session: ProbeSession, signal?: AbortSignal) => session.endpoints("cn-shop-b", signal),
      };

      describe.each(Object.entries(QUESTIONS))("%s", (_, question) => {
        it("of a pod that is not there cannot be asked", async () => {
          const session = api.probe.open("probe-0");
          await expect(question(session)).rejects.toMatchObject({ code: "NotFound", retryable: true });
          session.close();
        });

        it("cannot be asked once the time is up", async () => {
          const session = api.probe.open("probe-0");
          const late = { code: "ApiServerUnreachable", retryable: true };
          await expect(question(session, AbortSignal.abort())).rejects.toMatchObject(late);
          session.close();
        });

        it("may not be asked by a caller without the permission", async () => {
          const session = world.stranger.probe.open("probe-0");
          await expect(question(session)).rejects.toMatchObject({ code: "Forbidden", retryable: false });
          session.close();
        });
      });
    });

    describe("access", () => {
      const needed = { verb: "escalate", group: "rbac.authorization.k8s.io", resource: "clusterroles" };
      const inside = { verb: "create", group: "", resource: "pods/portforward", namespace: ISTIO_NAMESPACE };

      it("is granted to an administrator, also to what is below a resource", async () => {
        expect(await api.access.isAllowed(needed)).toBe(true);
        expect(await api.access.isAllowed(inside)).toBe(true);
      });

      it("is denied to a stranger, who may ask all the same", async () => {
        expect(await world.stranger.access.isAllowed(needed)).toBe(false);
        expect(await world.stranger.access.isAllowed(inside)).toBe(false);
      });

      it("knows the caller by a name that a role binding can have", async () => {
        expect(await api.access.userName()).toMatch(/^[^\s]+$/);
      });

      it("comes with the server's time, to the second", async () => {
        const time = await api.access.serverTime();
        expect(time?.getMilliseconds()).toBe(0);
        expect(time?.getFullYear()).toBeGreaterThanOrEqual(2026);
      });
    });

    describe("tokens", () => {
      const standIn = async () => {
        const secret = aSecret();
        const { metadata } = await api.writer.create(secret);
        return { name: metadata.name, uid: metadata.uid ?? "" };
      };

      it("are accepted for as long as was granted", async () => {
        const { token, expiresAt } = await api.tokens.request(await standIn(), HOUR);
        expect(await api.tokens.isAccepted(token)).toBe(true);
        expect(expiresAt).toBeInstanceOf(Date);
        expect(Number.isNaN(expiresAt.getTime())).toBe(false);
      });

      it(
        "die with the Secret that they are bound to",
        async () => {
          const boundTo = await standIn();
          const { token } = await api.tokens.request(boundTo, HOUR);
          const another = await api.tokens.request(await standIn(), HOUR);
          const ref = { apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE, name: boundTo.name };
          await api.writer.delete(ref, boundTo.uid);
          const deadline = Date.now() + REVOCATION_MS;
          while ((await api.tokens.isAccepted(token)) && Date.now() < deadline) await sleep(500);
          expect(await api.tokens.isAccepted(token)).toBe(false);
          expect(await api.tokens.isAccepted(another.token)).toBe(true);
        },
        TIMEOUT_MS,
      );

      it.each<[string, (boundTo: { name: string; uid: string }) => Promise<unknown>, object]>([
        [
          "a Secret that is gone",
          ({ uid }) => api.tokens.request({ name: "gone", uid }, HOUR),
          { name: "ConflictError", code: "NotFound" },
        ],
        [
          "another Secret of the name",
          ({ name: secret }) =>
            api.tokens.request({ name: secret, uid: "00000000-0000-4000-8000-000000000000" }, HOUR),
          { name: "ConflictError", code: "Conflict" },
        ],
        [
          "a life of less than ten minutes",
          (boundTo) => api.tokens.request(boundTo, 599),
          { name: "RefusedError", code: "Rejected", fields: { reason: "Invalid" } },
        ],
      ])("are not granted for %s", async (_, act, expected) => {
        await expect(act(await standIn())).rejects.toMatchObject(expected);
      });

      it("of nobody are not accepted", async () => {
        expect(await api.tokens.isAccepted("nobody")).toBe(false);
      });

      it("are not granted where the account is missing, and asking again does not help", async () => {
        const boundTo = await standIn();
        const account = { apiVersion: "v1", kind: "ServiceAccount", namespace: ISTIO_NAMESPACE };
        const { metadata } = await read({
          ...account,
          metadata: { ...account, name: READER_SERVICE_ACCOUNT },
        });
        await api.writer.delete({ ...account, name: READER_SERVICE_ACCOUNT }, metadata.uid ?? "");
        await expect(api.tokens.request(boundTo, HOUR)).rejects.toMatchObject({
          code: "ReaderAccountMissing",
          retryable: false,
        });
      });
    });
  });
}

/** A certificate as istiod would put it in: the API server looks whether it is one. */
const CA_BUNDLE = Buffer.from(
  `-----BEGIN CERTIFICATE-----
MIIBVTCB/KADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBHRlc3QwHhcN
-----END CERTIFICATE-----
`,
).toString("base64");
