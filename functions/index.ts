import { type CloudEvent, cloudEvent, http } from "@google-cloud/functions-framework";
import { createRuntime } from "../shared/runtime.ts";
import { send } from "./http/send.ts";
import { onClusterEvent } from "./on-cluster-event.ts";
import { syncMesh } from "./sync-mesh.ts";

/** Otherwise the framework answers a body that it cannot parse with a stack; it asks for this after it has loaded us. */
process.env["NODE_ENV"] ??= "production";

/** A wrong configuration stops the instance here, before it takes any event. */
const runtime = createRuntime(process.env, new URL("./istio/manifest.json", import.meta.url));

cloudEvent("on-cluster-event", (event: CloudEvent<unknown>) => onClusterEvent(runtime, event));

const answer = syncMesh(runtime);
http("sync-mesh", async (request, response) => send(response, await answer(request)));
