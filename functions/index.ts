import { type CloudEvent, cloudEvent, http } from "@google-cloud/functions-framework";
import { createRotatorRuntime, createRuntime, createSignerRuntime } from "../shared/runtime.ts";
import { rotatorExamination } from "./examine-rotator/examine-rotator.ts";
import { send } from "./http/send.ts";
import { onClusterEvent } from "./on-cluster-event/on-cluster-event.ts";
import { onRotationRequest } from "./on-rotation-request/on-rotation-request.ts";
import { signIntermediate } from "./sign-intermediate/sign-intermediate.ts";
import { syncMesh } from "./sync-mesh/sync-mesh.ts";

/** Otherwise the framework answers a body that it cannot parse with a stack; it asks for this after it has loaded us. */
process.env["NODE_ENV"] ??= "production";

/** A wrong configuration stops the instance here, before it takes any event. */
const manifest = new URL("./istio/manifest.json", import.meta.url);
const runtime = createRuntime(process.env, manifest);
const rotator = createRotatorRuntime(process.env, manifest);

cloudEvent("on-cluster-event", (event: CloudEvent<unknown>) => onClusterEvent(runtime, event));

cloudEvent("on-rotation-request", (event: CloudEvent<unknown>) => onRotationRequest(rotator, event));

const examined = rotatorExamination(rotator);
http("examine-rotator", async (request, response) => send(response, await examined(request)));

const answer = syncMesh(runtime);
http("sync-mesh", async (request, response) => send(response, await answer(request)));

const signed = signIntermediate(createSignerRuntime(process.env));
http("sign-intermediate", async (request, response) => send(response, await signed(request)));
