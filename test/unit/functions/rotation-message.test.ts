import { describe, expect, it } from "@jest/globals";
import { openMessage, type TopicMessage } from "../../../functions/event/envelope.ts";
import {
  parseRotationMessage,
  type RotationRequest,
} from "../../../functions/on-rotation-request/rotation-message.ts";
import { inWords } from "../../../shared/errors.ts";
import { PUBSUB_TYPE } from "./entries.ts";

const PUBLISHED = "2026-03-01T12:00:00.123Z";

function aMessage(data: string, attributes: Readonly<Record<string, string>> = {}): TopicMessage {
  return { data, attributes, publishedAt: new Date(PUBLISHED) };
}

const parse = (data: string, attributes?: Readonly<Record<string, string>>) =>
  parseRotationMessage(aMessage(data, attributes), "prod");

/** What a person reads of the error. */
function told(act: () => unknown): string {
  try {
    act();
    return "";
  } catch (error) {
    return inWords(error);
  }
}

describe("a message on the rotation topic", () => {
  it.each<[string, RotationRequest]>([
    ['{"kind":"tick"}', { kind: "tick" }],
    [
      '{"kind":"intermediate","scope":"mesh","reason":"scheduled"}',
      { kind: "intermediate", scope: "mesh", reason: "scheduled" },
    ],
    [
      '{"kind":"intermediate","scope":{"clusterId":"cn-shop-a-b"},"reason":"compromise"}',
      { kind: "intermediate", scope: { clusterId: "cn-shop-a-b" }, reason: "compromise" },
    ],
    ['{"kind":"root","action":"abort"}', { kind: "root", action: "abort" }],
    [
      '{"kind":"root","action":"advance","without":["cn-a"],"confirm":["NotConfigured"]}',
      { kind: "root", action: "advance", without: ["cn-a"], confirm: ["NotConfigured"] },
    ],
  ])("%s is understood", (data, expected) => {
    expect(parse(data)).toEqual(expected);
  });

  it.each([
    ["", "data", /empty/],
    ["{", "data", /not JSON/],
    ["null", "data", /./],
    ['"tick"', "data", /./],
    ["{}", "kind", /use tick, intermediate, root/],
    ['{"kind":"everything"}', "kind", /use tick, intermediate, root/],
    ['{"kind":"root"}', "action", /use start, advance, pause, resume, abort/],
    ['{"kind":"root","action":"delete"}', "action", /use start/],
    ['{"kind":"root","action":"advance","confirm":["MassLeave"]}', "confirm.0", /use NotConfigured/],
    ['{"kind":"root","action":"abort","confirm":["NotConfigured"]}', "confirm", /only action advance/],
    ['{"kind":"root","action":"start","without":["cn-a"]}', "without", /only action advance/],
    ['{"kind":"intermediate","reason":"manual"}', "scope", /use "mesh"/],
    [
      '{"kind":"intermediate","scope":{"clusterId":"a/b"},"reason":"manual"}',
      "scope.clusterId",
      /use a cluster ID/,
    ],
    ['{"kind":"intermediate","scope":"mesh","reason":"boredom"}', "reason", /use scheduled/],
    ['{"kind":"tick","force":true}', "force", /unknown\ncure: remove it/],
  ])("%s is refused by the name of the field", (data, field, why) => {
    expect(() => parse(data)).toThrow(expect.objectContaining({ code: "MessageNotUnderstood", field }));
    expect(told(() => parse(data))).toMatch(why);
  });

  it.each([
    ["SECRET_ROTATE", { kind: "schedule" }],
    ["SECRET_VERSION_ADD", { kind: "look" }],
    ["SECRET_UPDATE", { kind: "look" }],
    ["SOMETHING_NEW", { kind: "look" }],
  ])("of Secret Manager that says %s", (eventType, expected) => {
    const secretId = "projects/1234/secrets/prod-root-ca";
    expect(parse('{"name":"…"}', { eventType, secretId, dataFormat: "JSON_API_V1" })).toEqual(expected);
  });

  it("of Secret Manager about another secret is none of ours", () => {
    const attributes = { eventType: "SECRET_ROTATE", secretId: "projects/1234/secrets/password" };
    expect(parse("{}", attributes)).toEqual({ kind: "ignored", reason: "OtherSecret" });
  });
});

describe("openMessage", () => {
  const encoded = Buffer.from("hello").toString("base64");
  const event = (message: unknown) => ({ type: PUBSUB_TYPE, data: { message } });

  it("takes text, attributes and the time of publication", () => {
    const message = { data: encoded, attributes: { a: "b", c: 7 }, publishTime: PUBLISHED };
    expect(openMessage(event(message))).toEqual({
      data: "hello",
      attributes: { a: "b" },
      publishedAt: new Date(PUBLISHED),
    });
  });

  it("takes a message without data as an empty one", () => {
    expect(openMessage(event({ publishTime: PUBLISHED }))).toMatchObject({ data: "", attributes: {} });
  });

  it.each([
    ["no message", event(undefined)],
    ["no time", event({ data: encoded })],
    ["a time that is none", event({ data: encoded, publishTime: "soon" })],
    ["another event", { type: "google.cloud.audit.log.v1.written", data: {} }],
  ])("finds nothing in %s", (_, given) => {
    expect(openMessage(given)).toBeUndefined();
  });
});
