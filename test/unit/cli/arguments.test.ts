import { describe, expect, it } from "@jest/globals";
import { parseArguments } from "../../../cli/parse.ts";
import pin from "../../../shared/istio/pin.json" with { type: "json" };
import { VERSION } from "../../../shared/version.ts";

function parse(args: string) {
  const written = { out: "", err: "" };
  const parsed = parseArguments(args.split(" ").filter(Boolean), {
    stdout: { write: (text) => void (written.out += text) },
    stderr: { write: (text) => void (written.err += text) },
  });
  return { parsed, ...written };
}

describe("arguments", () => {
  it.each([
    ["status", { name: "status", options: {}, args: [] }, "text"],
    ["status --output json", { name: "status", options: {}, args: [] }, "json"],
    ["--output json status", { name: "status", options: {}, args: [] }, "json"],
    ["status -o json", { name: "status", options: {}, args: [] }, "json"],
    ["status -o yaml", { name: "status", options: {}, args: [] }, "yaml"],
    ["status -o wide", { name: "status", options: {}, args: [] }, "wide"],
    ["status --wait", { name: "status", options: { wait: true }, args: [] }, "text"],
    [
      "status --wait=m1 --timeout 10m",
      { name: "status", options: { wait: "m1", timeout: 600 }, args: [] },
      "text",
    ],
    ["plan", { name: "plan", options: {}, args: [] }, "text"],
    ["plan --cluster cn-a", { name: "plan", options: { cluster: "cn-a" }, args: [] }, "text"],
    ["sync", { name: "sync", options: {}, args: [] }, "text"],
    [
      "sync --yes --deep --cluster cn-a",
      { name: "sync", options: { cluster: "cn-a", deep: true, yes: true }, args: [] },
      "text",
    ],
    [
      "sync --confirm NotConfigured",
      { name: "sync", options: { confirm: ["NotConfigured"] }, args: [] },
      "text",
    ],
    ["upgrade --cluster cn-a", { name: "upgrade", options: { cluster: "cn-a" }, args: [] }, "text"],
    ["root rotate", { name: "root rotate", options: {}, args: [] }, "text"],
    ["root init", { name: "root init", options: { algorithm: "ec-p384" }, args: [] }, "text"],
    ["root import -", { name: "root import", options: {}, args: ["-"] }, "text"],
    ["join cn-a", { name: "join", options: {}, args: ["cn-a"] }, "text"],
    ["join cn-a --label-only", { name: "join", options: { labelOnly: true }, args: ["cn-a"] }, "text"],
    ["label cn-a", { name: "label", options: {}, args: ["cn-a"] }, "text"],
    ["drain c --check", { name: "drain", options: { check: true }, args: ["c"] }, "text"],
    [
      "leave projects/p/zones/z/clusters/c",
      { name: "leave", options: {}, args: ["projects/p/zones/z/clusters/c"] },
      "text",
    ],
    ["open --url u --port 0", { name: "open", options: { url: "u", port: "0" }, args: [] }, "text"],
    ["doctor -o json", { name: "doctor", options: {}, args: [] }, "json"],
    ["doctor --preflight", { name: "doctor", options: { preflight: true }, args: [] }, "text"],
    [
      "doctor --preflight --region us-east1",
      { name: "doctor", options: { preflight: true, region: "us-east1" }, args: [] },
      "text",
    ],
  ])("%s", (args, invocation, format) => {
    const work: unknown = expect.any(Function);
    expect(parse(args)).toEqual({
      parsed: { invocation: { ...invocation, work }, format, verbose: false, choice: {} },
      out: "",
      err: "",
    });
  });

  it.each([
    ["stauts", "unknown command 'stauts'\n(Did you mean status?)"],
    ["sync --ye", "unknown option '--ye'\n(Did you mean --yes?)"],
    ["sync --dry-run", "unknown option '--dry-run'"],
    ["status --cluster cn-a", "unknown option '--cluster'"],
    ["status --output xml", "Allowed choices are text, wide, json, yaml"],
    ["plan --cluster", "argument missing"],
    ["join", "missing required argument 'CLUSTER'"],
    ["join cn-a cn-b", "too many arguments"],
    ["status more", "too many arguments"],
    ["upgarde", "unknown command 'upgarde'\n(Did you mean upgrade?)"],
    ["", "Usage: meshjoin"],
  ])("refuses: meshjoin %s", (args, words) => {
    const { parsed, out, err } = parse(args);
    expect(parsed).toBe(2);
    expect(out).toBe("");
    expect(err).toContain(words);
  });

  it.each(["--version", "-V"])("says its version, and the Istio that it installs: %s", (flag) => {
    expect(parse(flag)).toEqual({ parsed: 0, out: `meshjoin ${VERSION} (Istio ${pin.release})\n`, err: "" });
  });

  it.each([
    ["help drain", "Usage: meshjoin drain [options] <CLUSTER>"],
    ["help root", "Usage: meshjoin root [options] [command]"],
    ["help root advance", "Usage: meshjoin root advance [options]"],
  ])("helps with the command that is named: %s", (args, usage) => {
    const { parsed, out } = parse(args);
    expect([parsed, out.split("\n")[0]]).toEqual([0, usage]);
  });

  it("helps with exit codes and examples", () => {
    const { parsed, out, err } = parse("--help");
    expect([parsed, err]).toEqual([0, ""]);
    for (const code of ["0  done", "1  failed", "2  wrong usage", "3  not finished"])
      expect(out).toContain(code);
    for (const command of ["status", "plan", "sync", "upgrade", "label", "join", "leave", "open", "doctor"]) {
      expect(parse(`${command} --help`).out).toContain(`Examples:\n  meshjoin ${command}`);
    }
  });
});

describe("wrong arguments", () => {
  it.each([
    ["stats -o json", "unknown command 'stats'"],
    ["status --nope --output=json", "unknown option '--nope'"],
    ["leave -ojson", "missing required argument 'CLUSTER'"],
    ["root --output json", "a command is missing"],
  ])("are an error in JSON for who asked for JSON: %s", (args, message) => {
    const { parsed, out } = parse(args);
    expect([parsed, JSON.parse(out)]).toEqual([
      2,
      { code: "InvalidInput", message: expect.stringContaining(message) },
    ]);
  });

  it("leave standard output to the result where a person reads it", () => {
    expect(parse("stats")).toMatchObject({ parsed: 2, out: "" });
    expect(parse("root import -o-json")).toMatchObject({ parsed: 2, out: "" });
  });
});
