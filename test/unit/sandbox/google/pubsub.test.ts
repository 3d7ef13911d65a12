import { afterEach, describe, expect, it } from "@jest/globals";
import { type LocalServer, listen, readBody } from "../../../../sandbox/google/http/server.ts";
import { type Delivery, deliver, type PushBody } from "../../../../sandbox/google/pubsub/push.ts";

const body: PushBody = {
  message: { data: "e30=", attributes: {}, messageId: "1", publishTime: "2026-01-01T00:00:00Z" },
  subscription: "projects/shop/subscriptions/cluster-events-push",
};
const backoff = { firstMs: 1, capMs: 4, attempts: 5 };

let open: LocalServer | undefined;
afterEach(async () => open?.close());

async function aFunction(...statuses: number[]) {
  const received: unknown[] = [];
  open = await listen(async (request, response) => {
    received.push({ path: request.url, body: JSON.parse((await readBody(request)).toString()) });
    response.writeHead(statuses[received.length - 1] ?? 204).end();
  });
  const deliveries: Delivery[] = [];
  const stopping = new AbortController();
  const url = `${open.url}/projects/shop/topics/cluster-events`;
  const onDelivery = (delivery: Delivery) => deliveries.push(delivery);
  const push = (at = url) =>
    deliver(body, { topic: "cluster-events", url: at, signal: stopping.signal, onDelivery, backoff });
  return { received, deliveries, stopping, push };
}

describe("push delivery", () => {
  it("posts the message to the path that names its topic", async () => {
    const { push, received } = await aFunction();
    expect(await push()).toBe(true);
    expect(received).toEqual([{ path: "/projects/shop/topics/cluster-events", body }]);
  });

  it("tries again until it is accepted", async () => {
    const { push, deliveries } = await aFunction(500, 503, 204);
    expect(await push()).toBe(true);
    expect(deliveries.map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, 500],
      [2, 503],
      [3, 204],
    ]);
  });

  it("gives up after the last attempt", async () => {
    const { push, deliveries } = await aFunction(500, 500, 500, 500, 500, 500);
    expect(await push()).toBe(false);
    expect(deliveries).toHaveLength(backoff.attempts);
  });

  it("takes a function that is not there for one that did not accept", async () => {
    const { push, deliveries } = await aFunction();
    expect(await push("http://127.0.0.1:1/projects/shop/topics/cluster-events")).toBe(false);
    expect(deliveries[0]).toMatchObject({ status: 0 });
  });

  it("ends when the sandbox stops", async () => {
    const { push, stopping } = await aFunction(500);
    stopping.abort();
    await expect(push()).rejects.toMatchObject({ name: "AbortError" });
  });
});
