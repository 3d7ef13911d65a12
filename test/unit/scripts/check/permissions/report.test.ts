import { describe, expect, it } from "@jest/globals";
import type { Asked } from "../../../../../sandbox/google/permissions/iam.ts";
import { faultsOf, reportOf } from "../../../../../scripts/check/permissions/report.ts";

const granted = { reconciler: ["a.get"], rotator: [], signer: ["b.get"] };
const asked = (scenario: string, role: Asked["role"], permission: string, allowed = true): Asked => ({
  role,
  permission,
  allowed,
  withheld: false,
  scenario,
});
const WELL = [asked("joins", "reconciler", "a.get"), asked("joins", "signer", "b.get")];

describe("the report on permissions", () => {
  it("names the scenarios that each permission is there for", () => {
    const report = reportOf(granted, [...WELL, asked("leaves", "reconciler", "a.get")]);
    expect(report.uses).toEqual([
      { role: "reconciler", permission: "a.get", scenarios: ["joins", "leaves"] },
      { role: "signer", permission: "b.get", scenarios: ["joins"] },
    ]);
    expect(faultsOf(report)).toEqual([]);
  });

  it("finds one that nothing uses, even if another function does", () => {
    const faults = faultsOf(reportOf({ ...granted, rotator: ["a.get"] }, WELL));
    expect(faults).toEqual([expect.stringMatching(/^rotator has a\.get and no scenario uses it/)]);
  });

  it("finds one that was denied", () => {
    const faults = faultsOf(reportOf(granted, [...WELL, asked("leaves", "rotator", "a.get", false)]));
    expect(faults).toEqual(['rotator was denied a.get in "leaves"; grant it']);
  });

  it("says nothing of unused permissions where only some scenarios have run", () => {
    const report = reportOf({ ...granted, rotator: ["a.get"] }, [
      ...WELL,
      asked("leaves", "signer", "c.get", false),
    ]);
    expect(faultsOf(report, ["leaves"])).toEqual(['signer was denied c.get in "leaves"; grant it']);
  });
});
