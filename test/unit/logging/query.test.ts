import { describe, expect, it } from "@jest/globals";
import { type Entry, matches } from "../../support/logging/query.ts";

const ENTRY: Entry = {
  logName: "projects/p/logs/cloudaudit.googleapis.com%2Factivity",
  severity: "WARNING",
  timestamp: "2026-03-01T12:00:00.5Z",
  operation: { id: "o-1", last: true },
  protoPayload: { methodName: "a.B", status: { code: 3 } },
  jsonPayload: { list: ["x", "y"], empty: [] },
};

describe("a filter of the Logging query language", () => {
  it.each<[string, boolean]>([
    ['log_id("cloudaudit.googleapis.com/activity")', true],
    ['log_id("cloudaudit.googleapis.com/data_access")', false],
    ["severity>=WARNING", true],
    ["severity>=ERROR", false],
    ['timestamp>="2026-03-01T13:00:00+01:00"', true],
    ['timestamp>="2026-03-01T12:00:01Z"', false],
    ["operation.last=true", true],
    ["operation.first=true", false],
    ["NOT operation.first=true", true],
    ["operation.id:*", true],
    ["operation.name:*", false],
    ["protoPayload.status.code>0", true],
    ["protoPayload.status.codes>0", false],
    ['protoPayload.methodName="A.b"', true],
    ['protoPayload.methodName=~"^a[.]B$"', true],
    ['protoPayload.methodName=~"^A[.]B$"', false],
    ['protoPayload.methodName=("c" OR "a.B")', true],
    ['jsonPayload.list=~"y"', true],
    ['jsonPayload.empty=~"."', false],
    ["operation.last=true operation.first=true", false],
    ["operation.first=true AND operation.last=true OR operation.last=true", false],
    ["(operation.first=true AND operation.last=true) OR operation.last=true", true],
  ])("%s: %s", (filter, expected) => {
    expect(matches(filter, ENTRY)).toBe(expected);
  });

  it.each(["a:b", "a!=b", "a=", "(a=b", "a=b)", "=b", 'a="b" ~', "log_id(x)"])(
    "is refused where it is not understood: %s",
    (filter) => {
      expect(() => matches(filter, { a: "b" })).toThrow(/expected|understood|cannot be read/);
    },
  );
});
