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
    ["status", { command: "status" }, "text"],
    ["status --output json", { command: "status" }, "json"],
    ["--output json status", { command: "status" }, "json"],
    ["status -o json", { command: "status" }, "json"],
    ["plan", { command: "plan" }, "text"],
    ["plan --cluster cn-a", { command: "plan", cluster: "cn-a" }, "text"],
    ["sync", { command: "sync", deep: false, yes: false, confirm: [] }, "text"],
    [
      "sync --yes --deep --cluster cn-a",
      { command: "sync", cluster: "cn-a", deep: true, yes: true, confirm: [] },
      "text",
    ],
    [
      "sync --confirm NotConfigured",
      { command: "sync", deep: false, yes: false, confirm: ["NotConfigured"] },
      "text",
    ],
    ["upgrade --cluster cn-a", { command: "upgrade", cluster: "cn-a" }, "text"],
    ["join cn-a", { command: "join", cluster: "cn-a" }, "text"],
    ["join cn-a --label-only", { command: "label", cluster: "cn-a" }, "text"],
    ["label cn-a", { command: "label", cluster: "cn-a" }, "text"],
    [
      "leave projects/p/zones/z/clusters/c",
      { command: "leave", cluster: "projects/p/zones/z/clusters/c" },
      "text",
    ],
    ["open --url u --port 0", { command: "open", url: "u", port: "0" }, "text"],
    ["doctor -o json", { command: "doctor" }, "json"],
    ["doctor --preflight", { command: "preflight", region: "europe-west1" }, "text"],
    ["doctor --preflight --region us-east1", { command: "preflight", region: "us-east1" }, "text"],
  ])("%s", (args, order, format) => {
    expect(parse(args)).toEqual({ parsed: { order, format }, out: "", err: "" });
  });

  it.each([
    ["stauts", "unknown command 'stauts'\n(Did you mean status?)"],
    ["sync --ye", "unknown option '--ye'\n(Did you mean --yes?)"],
    ["sync --dry-run", "unknown option '--dry-run'"],
    ["status --cluster cn-a", "unknown option '--cluster'"],
    ["status --output yaml", "Allowed choices are text, json"],
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
