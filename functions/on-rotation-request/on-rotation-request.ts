import { isRefusal, stageOf } from "../../shared/core/roots/stages.ts";
import { InputError, NotReadyError } from "../../shared/errors.ts";
import { type Logger, traceFields } from "../../shared/log.ts";
import { reconcile } from "../../shared/reconcile.ts";
import type { RotatorRun } from "../../shared/rotate/change-roots.ts";
import {
  carryOut,
  carryOutSchedule,
  type Ordered,
  type Rotated,
  rotateIntermediates,
  tick,
} from "../../shared/rotate/rotate.ts";
import { logProgress, logReconciled } from "../../shared/run-log.ts";
import type { Runtime } from "../../shared/runtime.ts";
import { acknowledgeOrThrow } from "../event/acknowledge.ts";
import { type Envelope, openMessage, type TopicMessage } from "../event/envelope.ts";
import { parseRotationMessage, type RotationRequest } from "./rotation-message.ts";

/**
 * Carries out an order to rotate, or a tick. Resolves when the message is acknowledged; rejects if Pub/Sub
 * must deliver it again. A message that cannot be understood is logged with the field at fault and
 * acknowledged, because no redelivery mends it. `environment` is Cloud Run's: it names the project of the
 * traces.
 */
export async function onRotationRequest(
  runtime: Runtime<RotatorRun>,
  envelope: Envelope,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<void> {
  const trace = traceFields(envelope.traceparent, environment["GOOGLE_CLOUD_PROJECT"]);
  const log = runtime.log.child({ ...trace, messageId: envelope.id });
  try {
    const message = openMessage(envelope);
    if (message === undefined) throw noMessage();
    const request = parseRotationMessage(message, runtime.spec.meshId);
    await handle(runtime, log.child({ request }), request, message);
  } catch (error) {
    acknowledgeOrThrow(log, "message", error);
  }
}

async function handle(
  runtime: Runtime<RotatorRun>,
  log: Logger,
  request: RotationRequest,
  message: TopicMessage,
): Promise<void> {
  if (request.kind === "ignored") {
    log.info({ reason: request.reason }, "message ignored");
    return;
  }
  const rotated = await runtime.withRun(logProgress(log), (run) => rotate(run, request, message));
  if (rotated.moved !== undefined) logMoved(log, rotated.moved, request.kind === "tick");
  if (rotated.reconciled === undefined) return;
  logReconciled(log, rotated.reconciled);
  if (request.kind === "intermediate" && rotated.reconciled.retry) {
    throw new NotReadyError("intermediates are left to be replaced", {
      code: "RotationIncomplete",
    });
  }
}

async function rotate(
  run: RotatorRun,
  request: Exclude<RotationRequest, { kind: "ignored" }>,
  { publishedAt: givenAt }: TopicMessage,
): Promise<Rotated> {
  switch (request.kind) {
    case "tick":
      return await tick(run);
    case "intermediate":
      return { reconciled: await rotateIntermediates(run, { ...request, givenAt }) };
    case "root":
      return await carryOut(run, {
        action: request.action,
        givenAt,
        without: request.without ?? [],
        confirm: request.confirm ?? [],
      });
    case "schedule":
      return await carryOutSchedule(run, givenAt);
    case "look":
      return { reconciled: await reconcile(run, { scope: "mesh", reason: "root secret", rollOut: true }) };
  }
}

function logMoved(log: Logger, { before, after, gate }: Ordered, isTick: boolean): void {
  const stage = stageOf(before);
  if (after === undefined) log.info({ stage }, "nothing to be done: the order is a copy, or out of date");
  else if (isRefusal(after)) {
    const { refused: code, message, cure } = after;
    // A tick orders no step, so a stage that is not over is no refusal.
    const level = isTick && code === "StageNotOver" ? "info" : "warn";
    log[level]({ stage, code, cure, waitingFor: gate?.waitingFor, until: gate?.until }, message);
  } else {
    const { versions, notes } = after;
    log.info({ from: stage, to: stageOf(after), versions, without: notes.without }, "root rotation moved on");
  }
}

function noMessage(): InputError {
  return new InputError("the event holds no Pub/Sub message with a publishTime", {
    code: "MessageNotUnderstood",
    cure: "subscribe to the rotation topic",
    field: "message",
    fields: { field: "message" },
  });
}
