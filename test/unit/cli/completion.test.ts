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
    [["sync", "--confirm", "MassL"], ["MassLeave"]],
    [
      ["sync", "--confirm", "MassLeave", "Mass"],
      ["MassDrain", "MassLeave"],
    ],
    [["sync", "--confirm", "MassLeave", "--d"], ["--deep"]],
    [["drain", "checkout", "--confirm", ""], ["MassDrain"]],
    [["upgrade", "--confirm", "Roll"], ["RollOutWaits"]],
    [["plan", "--confirm", "Gate"], ["GatewayInUse"]],
    [
      ["label", "checkout", "--gateway", ""],
      ["external", "internal", "none"],
    ],
    [["label", "checkout", "--gateway=e"], ["--gateway=external"]],
    [["label", "checkout", "--no-g"], ["--no-gateway"]],
    [
      ["check", "--p"],
      ["--pair", "--project"],
    ],
    [["undrain", "checkout", "--y"], ["--yes"]],
    [
      ["status", "--wait", ""],
      ["synced", "whole"],
    ],
    [["status", "--wait=w"], ["--wait=whole"]],
    [["explain", "IngressT"], ["IngressTlsMissing"]],
    [["explain", "RootSecretM"], ["RootSecretMissing"]],
    [["hel"], ["help"]],
    [["help", "undr"], ["undrain"]],
    [["root", "hel"], []],
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
    expect(complete("")).toEqual(
      expect.arrayContaining([
        "leave",
        "pause",
        "resume",
        "root",
        "explain",
        "drain",
        "undrain",
        "check",
        "label",
        "help",
      ]),
    );
  });
});

const MESHJOIN = `meshjoin() { '${process.execPath}' '${ROOT}/cli/main.ts' "$@"; }`;

/**
 * What a shell offers after the script was read and a person pressed the key once: for the beginning of a
 * word, and where only a file fits.
 */
const TRIED = {
  bash: {
    args: ["--norc", "-c"],
    word: `COMP_WORDS=(meshjoin root re); COMP_CWORD=2; _meshjoin; printf '%s\\n' "\${COMPREPLY[@]}"`,
    // With -o default, bash offers files where the function offers nothing.
    file: `COMP_WORDS=(meshjoin root import package.j); COMP_CWORD=3; _meshjoin
printf '%s\\n' "\${#COMPREPLY[@]}"; complete -p meshjoin | grep -q -- '-o default' && compgen -f package.j`,
  },
  zsh: {
    args: ["-f", "-c"],
    word: `compadd() { shift; print -l -- "$@"; }; words=(meshjoin root re); CURRENT=3; _meshjoin`,
    file: `compadd() { print "compadd $@"; }; _files() { print 0; print -l package.j*; }
words=(meshjoin root import package.j); CURRENT=4; _meshjoin`,
  },
  fish: {
    args: ["--no-config", "-c"],
    word: "complete -C 'meshjoin root re'",
    file: "echo 0; complete -C 'meshjoin root import package.j'",
  },
} as const;

/** What leaves a word to the files; zsh makes one empty element of no line, which is no offer. */
const FILES = {
  bash: "complete -o default ",
  zsh: `if [[ -n "$found" ]]; then compadd -- $found; else _files; fi`,
  fish: "-n 'contains -- import (commandline -opc)' -F",
} as const;

describe.each(["bash", "zsh", "fish"] as const)("the script for %s", (shell) => {
  const script = async () => (await call(await aMesh(), `completion ${shell}`)).out;
  const offered = async (lines: string) => {
    const define =
      shell === "fish"
        ? `function meshjoin; '${process.execPath}' '${ROOT}/cli/main.ts' $argv; end`
        : MESHJOIN;
    const compdef = shell === "zsh" ? "compdef() { :; }" : "";
    const source = [define, compdef, await script(), lines].join("\n");
    const { stdout } = await promisify(execFile)(shell, [...TRIED[shell].args, source], { cwd: ROOT });
    return stdout.trim().split(/\s+/);
  };

  if (spawnSync(shell, ["-c", "true"]).status === 0) {
    it("completes in that shell", async () => {
      expect((await offered(TRIED[shell].word))[0]).toBe("resume");
    }, 30_000);

    it("leaves a word that it knows nothing for to the files", async () => {
      expect(await offered(TRIED[shell].file)).toEqual(["0", "package.json"]);
    }, 30_000);
  } else {
    it("is not looked at here, for want of that shell; it calls what the others call", async () => {
      expect(await script()).toContain("meshjoin __complete -- ");
      expect(await script()).toContain(FILES[shell]);
    });
  }
});
