import { type CloudEvent, cloudEvent, http } from "@google-cloud/functions-framework";
import { createRotatorRuntime, createRuntime, createSignerRuntime } from "../shared/runtime.ts";
import { rotatorExamination } from "./examine-rotator/examine-rotator.ts";
import { send } from "./http/send.ts";
import { onClusterEvent } from "./on-cluster-event/on-cluster-event.ts";
import { onRotationRequest } from "./on-rotation-request/on-rotation-request.ts";
import { signIntermediate } from "./sign-intermediate/sign-intermediate.ts";
import { syncMesh } from "./sync-mesh/sync-mesh.ts";

/** Read after this file: else the framework answers a body that it cannot parse with a stack. */
process.env["NODE_ENV"] ??= "production";

/** A wrong configuration stops the instance here, before it takes an event. */
const manifest = new URL("./istio/manifest.json", import.meta.url);
const runtime = createRuntime(process.env, manifest);
const rotator = createRotatorRuntime(process.env, manifest);

cloudEvent("on-cluster-event", (event: CloudEvent<unknown>) => onClusterEvent(runtime, event));

cloudEvent("on-rotation-request", (event: CloudEvent<unknown>) => onRotationRequest(rotator, event));

const answerExamination = rotatorExamination(rotator);
http("examine-rotator", async (request, response) => send(response, await answerExamination(request)));

const answerSync = syncMesh(runtime);
http("sync-mesh", async (request, response) => send(response, await answerSync(request)));

const answerSigning = signIntermediate(createSignerRuntime(process.env));
http("sign-intermediate", async (request, response) => send(response, await answerSigning(request)));
