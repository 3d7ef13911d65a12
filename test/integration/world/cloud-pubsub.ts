import { PubSub } from "@google-cloud/pubsub";
import { OAuth2Client } from "google-auth-library";
import type { SandboxFleet } from "../../../sandbox/fleet/fleet.ts";
import { type LocalServer, listen, readBody } from "../../../sandbox/google/http/server.ts";
import { deadLetterAttributes } from "../../../sandbox/google/pubsub/dead-letter.ts";
import { DEAD_LETTERS } from "../../../sandbox/google/pubsub/pubsub.ts";

/** A client of the sandbox's server, which speaks gRPC alone. */
function clientOf(fleet: SandboxFleet): PubSub {
  const { project, pubsubEmulatorHost } = fleet.file();
  return new PubSub({
    projectId: project,
    apiEndpoint: pubsubEmulatorHost,
    emulatorMode: true,
    authClient: new OAuth2Client(),
  });
}

/** As Pub/Sub forwards an order to rotate that was never accepted, which takes it hours. */
export async function giveUpOrder(fleet: SandboxFleet, order: object): Promise<void> {
  const { project } = fleet.file();
  const attributes = deadLetterAttributes({
    project,
    subscription: "rotation-push",
    publishTime: new Date(),
    attempts: 25,
  });
  const client = clientOf(fleet);
  await client.topic(DEAD_LETTERS).publishMessage({ json: order, attributes });
  await client.close();
}

/** As google.pubsub.v1 has it, without the fields that no test asks for. */
interface Received {
  readonly ackId: string;
  readonly message: {
    readonly data: Uint8Array;
    readonly attributes: Readonly<Record<string, string>>;
    readonly messageId: string;
  };
}

/**
 * The REST API of Pub/Sub, which gcloud speaks, in front of the sandbox's server: pull and seek of a
 * subscription, and publish to a topic by the name that Terraform gives it.
 */
export async function startPubSubRest(fleet: SandboxFleet): Promise<LocalServer> {
  const client = clientOf(fleet);
  const server = await listen(async (request, response) => {
    const path = /^\/v1\/(?<name>projects\/.+):(?<method>pull|seek|publish)(?:\?|$)/.exec(request.url ?? "");
    const answer = (status: number, body: object) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    const { name = "", method } = path?.groups ?? {};
    const sent: SentRequest = JSON.parse((await readBody(request)).toString());
    if (method === "pull") {
      answer(200, { receivedMessages: (await pull(client, name, sent.maxMessages ?? 1)).map(inJson) });
    } else if (method === "seek") {
      await client.subscription(name).seek(new Date(sent.time ?? ""));
      answer(200, {});
    } else if (method === "publish") {
      const topic = client.topic(name.replace("/topics/meshjoin-", "/topics/"));
      const sending = (sent.messages ?? []).map(({ data }) =>
        topic.publishMessage({ data: Buffer.from(data, "base64") }),
      );
      answer(200, { messageIds: await Promise.all(sending) });
    } else {
      answer(501, { error: { code: 501, message: `${request.url} is not served here` } });
    }
  });
  return {
    ...server,
    async close() {
      await server.close();
      await client.close();
    },
  };
}

/**
 * https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions/pull and seek, and projects.topics/publish
 */
interface SentRequest {
  readonly messages?: readonly { readonly data: string }[];
  readonly maxMessages?: number;
  readonly time?: string;
}

async function pull(client: PubSub, subscription: string, maxMessages: number): Promise<readonly Received[]> {
  const { promise, resolve, reject } = Promise.withResolvers<{
    receivedMessages?: readonly Received[] | null;
  }>();
  const reqOpts = { subscription, maxMessages, returnImmediately: true };
  client.request<Awaited<typeof promise>>(
    { client: "SubscriberClient", method: "pull", reqOpts },
    (error, answer) => (error === null ? resolve(answer ?? {}) : reject(error)),
  );
  return (await promise).receivedMessages ?? [];
}

function inJson({ ackId, message: { data, attributes, messageId } }: Received): object {
  return { ackId, message: { data: Buffer.from(data).toString("base64"), attributes, messageId } };
}
