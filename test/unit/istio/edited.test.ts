import { describe, expect, it } from "@jest/globals";
import { editorOf } from "../../../shared/istio/edited.ts";
import type { ManagedFields } from "../../../shared/ports/kubernetes-object.ts";

const WRITTEN = { data: ["cn-a"], annotations: ["cluster-id"], at: new Date("2026-03-01T12:00:00Z") };
const DATA = { "f:data": { ".": {}, "f:cn-a": {} } };
const ANNOTATION = { "f:metadata": { "f:annotations": { "f:meshjoin.dev/cluster-id": {} } } };

function entry(manager: string, fieldsV1: object, change: Partial<ManagedFields> = {}): ManagedFields {
  return { manager, operation: "Update", time: "2026-03-01T12:00:01Z", fieldsV1: { ...fieldsV1 }, ...change };
}

/** What the API server notes for a Secret that Meshjoin has just written. */
const OURS = entry("meshjoin", { ...DATA, ...ANNOTATION });
const LOADED = { "f:metadata": { "f:annotations": { "f:meshjoin.dev/loaded-at": {} } } };
const FOREIGN = { "f:metadata": { "f:annotations": { "f:argocd.argoproj.io/x": {} } } };

describe("editorOf", () => {
  it.each<[string | undefined, string, readonly ManagedFields[]]>([
    [undefined, "nobody has touched it", [OURS]],
    [undefined, "Meshjoin noted something", [OURS, entry("meshjoin", LOADED, { operation: "Apply" })]],
    [undefined, "somebody has an annotation there", [OURS, entry("argocd", FOREIGN)]],
    [undefined, "somebody agrees on what it holds", [OURS, entry("argocd", { ...DATA, ...ANNOTATION })]],
    ["kubectl-edit", "a key is somebody's", [entry("meshjoin", ANNOTATION), entry("kubectl-edit", DATA)]],
    ["kubectl", "somebody has added a key", [OURS, entry("kubectl", { "f:data": { "f:cn-b": {} } })]],
    ["kubectl", "an annotation is somebody's", [entry("meshjoin", DATA), entry("kubectl", ANNOTATION)]],
    ["another manager", "a key is gone", [entry("meshjoin", ANNOTATION)]],
    ["another manager", "an annotation is gone", [entry("meshjoin", DATA)]],
    ["another manager", "nothing is known of it any more", []],
    [
      undefined,
      "a key has the value that somebody had given it before",
      [entry("meshjoin", ANNOTATION), entry("istio-operator", DATA, { time: "2026-02-01T12:00:00Z" })],
    ],
    [
      "kubectl-edit",
      "a key is somebody's since a second later",
      [entry("meshjoin", ANNOTATION), entry("kubectl-edit", DATA, { time: "2026-03-01T12:00:02Z" })],
    ],
    ["meshjoin", "it was written under Meshjoin's name later", [{ ...OURS, time: "2026-03-01T12:06:00Z" }]],
  ])("is %s when %s", (editor, _, managedFields) => {
    expect(editorOf({ name: "s", managedFields }, WRITTEN)).toBe(editor);
  });
});
