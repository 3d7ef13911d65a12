import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";

/** Stands for npm: counts its runs, takes a moment, and "installs" the Node that runs this test. */
const NPM = `
const fs = require("node:fs");
fs.appendFileSync("npm.log", process.argv.slice(2).join(" ") + "\\n");
if (fs.existsSync("npm.fails")) { console.error("npm error the registry is away"); process.exit(1); }
setTimeout(() => {
  fs.mkdirSync("node_modules/.bin", { recursive: true });
  fs.rmSync("node_modules/.bin/node", { force: true });
  fs.symlinkSync(${JSON.stringify(process.execPath)}, "node_modules/.bin/node");
}, 200);
`;

let project: string;

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "meshjoin-bootstrap-"));
  mkdirSync(join(project, "scripts"));
  copyFileSync(
    new URL("../../../scripts/bootstrap.mjs", import.meta.url),
    join(project, "scripts/bootstrap.mjs"),
  );
  writeFileSync(join(project, "package-lock.json"), JSON.stringify({ packages: { "": {} } }));
  writeFileSync(join(project, "npm-cli.js"), NPM);
});

afterEach(() => {
  rmSync(project, { recursive: true, force: true });
});

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, [join(project, "scripts/bootstrap.mjs"), ...args], {
    cwd: project,
    env: { ...process.env, npm_execpath: join(project, "npm-cli.js") },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function finish(child: ChildProcess): Promise<{ code: number | null; output: string }> {
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await once(child, "close");
  return { code: child.exitCode, output };
}

function script(text: string): string {
  writeFileSync(join(project, "script.ts"), text);
  return "script.ts";
}

function installs(): string[] {
  return readFileSync(join(project, "npm.log"), "utf8").trim().split("\n");
}

describe("bootstrap", () => {
  it("installs, then runs TypeScript with its arguments, and passes the exit code on", async () => {
    const file = script(
      "const args: string[] = process.argv.slice(2); console.log(args.join()); process.exit(7);",
    );
    const { code, output } = await finish(start(file, "a", "--b"));
    expect({ code, said: output.includes("a,--b") }).toEqual({ code: 7, said: true });
    expect(installs()).toEqual([expect.stringMatching(/^ci --ignore-scripts/)]);
  });

  it("installs once, until the lockfile changes", async () => {
    const file = script("");
    await finish(start(file));
    await finish(start(file));
    expect(installs()).toHaveLength(1);
    writeFileSync(
      join(project, "package-lock.json"),
      JSON.stringify({ packages: { "": {}, a: { version: "1" } } }),
    );
    await finish(start(file));
    expect(installs()).toHaveLength(2);
  });

  it("takes what was installed by hand", async () => {
    const packages = { "": {}, a: { version: "1" }, other: { version: "2", optional: true } };
    writeFileSync(join(project, "package-lock.json"), JSON.stringify({ packages }));
    mkdirSync(join(project, "node_modules"));
    writeFileSync(
      join(project, "node_modules/.package-lock.json"),
      JSON.stringify({ packages: { a: { version: "1" } } }),
    );
    expect(await finish(start(script("process.exit(3)")))).toMatchObject({ code: 3 });
    expect(existsSync(join(project, "npm.log"))).toBe(false);
  });

  it("installs once when two begin at the same time", async () => {
    const file = script("");
    const results = await Promise.all([finish(start(file)), finish(start(file)), finish(start(file))]);
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(installs()).toHaveLength(1);
    expect(existsSync(join(project, ".install-lock"))).toBe(false);
  });

  it("does not wait for a process that died while it installed", async () => {
    const dead = spawn(process.execPath, ["-e", ""]);
    await once(dead, "close");
    writeFileSync(join(project, ".install-lock"), String(dead.pid));
    expect(await finish(start(script("")))).toMatchObject({ code: 0 });
  });

  it("says why npm failed, and tries again the next time", async () => {
    const file = script("");
    writeFileSync(join(project, "npm.fails"), "");
    const { code, output } = await finish(start(file));
    expect({ code, told: output.includes("the registry is away") }).toEqual({ code: 1, told: true });
    rmSync(join(project, "npm.fails"));
    expect(await finish(start(file))).toMatchObject({ code: 0 });
  });

  it("forwards a signal and waits for the end", async () => {
    const file = script(
      'process.on("SIGTERM", () => process.exit(9)); setInterval(() => {}, 1000); console.log("up");',
    );
    const child = start(file);
    if (child.stdout === null) throw new Error("no pipe");
    await once(child.stdout, "data");
    child.kill("SIGTERM");
    expect(await finish(child)).toMatchObject({ code: 9 });
  });

  it("ends the script when whoever started it is gone", async () => {
    await finish(start(script("")));
    const file = script(
      'process.on("SIGTERM", () => process.exit(0)); setInterval(() => {}, 1000); console.log(process.pid);',
    );
    const parent = spawn("sh", ["-c", `"${process.execPath}" scripts/bootstrap.mjs ${file}; true`], {
      cwd: project,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [chunk] = await once(parent.stdout, "data");
    parent.kill("SIGKILL");
    // The pipe closes when the last process that holds it has ended.
    await once(parent, "close");
    expect(() => process.kill(Number(String(chunk)), 0)).toThrow("ESRCH");
  });

  it("answers like a shell when the script was killed", async () => {
    expect(await finish(start(script('process.kill(process.pid, "SIGKILL");')))).toMatchObject({ code: 137 });
  });

  it.each([
    [[], "no file given"],
    [["nothing.ts"], "nothing.ts does not exist"],
  ])("refuses %j", async (args, why) => {
    const { code, output } = await finish(start(...args));
    expect(code).toBe(1);
    expect(output).toContain(why);
  });
});
