import { describe, expect, it } from "@jest/globals";
import { type Envelope, openEnvelope } from "../../../functions/event/envelope.ts";
import { AUDIT_TYPE, anEntry, PUBSUB_TYPE, pushed } from "./entries.ts";

const ENTRY = anEntry("creation-finished");

describe("openEnvelope", () => {
  it.each<[string, Envelope]>([
    ["Eventarc's, parsed", { type: AUDIT_TYPE, data: ENTRY }],
    ["Eventarc's, as text", { type: AUDIT_TYPE, data: JSON.stringify(ENTRY) }],
    ["Eventarc's, as bytes", { type: AUDIT_TYPE, data: Buffer.from(JSON.stringify(ENTRY)) }],
    ["a sink's, parsed", { type: PUBSUB_TYPE, data: pushed(ENTRY) }],
    ["a sink's, as text", { type: PUBSUB_TYPE, data: JSON.stringify(pushed(ENTRY)) }],
    ["a sink's, as bytes", { type: PUBSUB_TYPE, data: Buffer.from(JSON.stringify(pushed(ENTRY))) }],
  ])("takes the entry out of %s", (_, envelope) => {
    expect(openEnvelope(envelope)).toEqual(ENTRY);
  });

  it.each<[string, Envelope]>([
    ["nothing", {}],
    ["text that is no JSON", { type: AUDIT_TYPE, data: "{" }],
    ["a message without data", { type: PUBSUB_TYPE, data: { message: {} } }],
    ["a message whose data is no JSON", { type: PUBSUB_TYPE, data: { message: { data: "aGVsbG8=" } } }],
    ["a message whose data is no text", { type: PUBSUB_TYPE, data: { message: { data: 7 } } }],
    ["no message", { type: PUBSUB_TYPE, data: {} }],
    ["null", { type: PUBSUB_TYPE, data: null }],
  ])("finds nothing in %s", (_, envelope) => {
    expect(openEnvelope(envelope)).toBeUndefined();
  });
});
