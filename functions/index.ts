import { type CloudEvent, cloudEvent } from "@google-cloud/functions-framework";
import { createRuntime } from "../shared/runtime.ts";
import { onClusterEvent } from "./on-cluster-event.ts";

/** A wrong configuration stops the instance here, before it takes any event. */
const runtime = createRuntime(process.env, new URL("./istio/manifest.json", import.meta.url));

cloudEvent("on-cluster-event", (event: CloudEvent<unknown>) => onClusterEvent(runtime, event));
