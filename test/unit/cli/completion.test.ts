import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "@jest/globals";
import { candidates } from "../../../cli/completion.ts";
import { createProgram } from "../../../cli/program.ts";
import { ROOT } from "../../../scripts/paths.ts";
import { aMesh } from "../../support/fakes/mesh.ts";
import { call } from "./host.ts";

const complete = (...words: string[]) =>
  candidates(
    createProgram(() => undefined),
    words,
  );

describe("completion", () => {
  it.each([
    [["st"], ["status"]],
    [["root", "re"], ["resume"]],
    [["root", "rotate", "--d"], ["--dry-run"]],
    [
      ["-o", ""],
      ["json", "text", "wide", "yaml"],
    ],
    [["status", "--output", "j"], ["json"]],
    [["status", "--output=j"], ["--output=json"]],
    [["status", "--output", "=", "j"], ["json"]],
    [
      ["status", "--output", "="],
      ["json", "text", "wide", "yaml"],
    ],
    [["sync", "--confirm", "Mass"], ["MassLeave"]],
    [["-o", "json", "pla"], ["plan"]],
    [
      ["completion", ""],
      ["bash", "fish", "zsh"],
    ],
    [["status", "--ex"], ["--exit-code"]],
    [["stat", ""], complete("")],
  ])("of %j is %j", (words, expected) => {
    expect(complete(...words)).toEqual(expected);
  });

  it("offers every command", () => {
    expect(complete("")).toEqual(expect.arrayContaining(["leave", "pause", "resume", "root", "explain"]));
  });
});

const MESHJOIN = `meshjoin() { '${process.execPath}' '${ROOT}/cli/main.ts' "$@"; }`;

/** What a shell has after the script was read and a person pressed the key once. */
const TRIED = {
  bash: {
    args: ["--norc", "-c"],
    lines: `COMP_WORDS=(meshjoin root re); COMP_CWORD=2; _meshjoin; printf '%s\\n' "\${COMPREPLY[@]}"`,
  },
  zsh: {
    args: ["-f", "-c"],
    lines: `compadd() { shift; print -l -- "$@"; }; words=(meshjoin root re); CURRENT=3; _meshjoin`,
  },
  fish: { args: ["--no-config", "-c"], lines: "complete -C 'meshjoin root re'" },
} as const;

describe.each(["bash", "zsh", "fish"] as const)("the script for %s", (shell) => {
  const script = async () => (await call(await aMesh(), `completion ${shell}`)).out;
  const { args, lines } = TRIED[shell];

  if (spawnSync(shell, ["-c", "true"]).status === 0) {
    it("completes in that shell", async () => {
      const define =
        shell === "fish"
          ? `function meshjoin; '${process.execPath}' '${ROOT}/cli/main.ts' $argv; end`
          : MESHJOIN;
      const compdef = shell === "zsh" ? "compdef() { :; }" : "";
      const source = [define, compdef, await script(), lines].join("\n");
      const { stdout } = await promisify(execFile)(shell, [...args, source]);
      expect(stdout.trim().split(/\s/)[0]).toBe("resume");
    }, 30_000);
  } else {
    it("is not looked at here, for want of that shell; it calls what the others call", async () => {
      expect(await script()).toContain("meshjoin __complete -- ");
    });
  }
});
