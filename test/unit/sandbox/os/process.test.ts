import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { startProcess } from "../../../../sandbox/os/process.ts";

const PROCESS_MODULE = new URL("../../../../sandbox/os/process.ts", import.meta.url).href;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function isGoneWithin(pid: number, ms: number): Promise<boolean> {
  const deadline = Date.now() + ms;
  while (isAlive(pid) && Date.now() < deadline) {
    await delay(20);
  }
  return !isAlive(pid);
}

describe("startProcess", () => {
  let logDir: string;

  beforeEach(async () => {
    logDir = await mkdtemp(join(tmpdir(), "meshjoin-process-"));
  });

  afterEach(async () => {
    await rm(logDir, { recursive: true, force: true });
  });

  it("keeps standard output and standard error in one log and tells the exit code", async () => {
    const running = await startProcess({
      name: "speaker",
      command: "sh",
      args: ["-c", "echo out; echo err >&2; exit 3"],
      logDir,
    });
    await expect(running.exited).resolves.toEqual({ code: 3, signal: null });
    await expect(readFile(running.logPath, "utf8")).resolves.toBe("out\nerr\n");
  });

  it("says what a process wrote that ends before it is ready", async () => {
    const start = startProcess({
      name: "loser",
      command: "sh",
      args: ["-c", "echo no luck; exit 4"],
      logDir,
      ready: async () => false,
    });
    await expect(start).rejects.toThrow(/loser ended with code 4 before it was ready.*\nno luck$/);
  });

  it("refuses a command that does not exist", async () => {
    await expect(startProcess({ name: "ghost", command: "/no/such/thing", logDir })).rejects.toThrow(
      /ghost did not start/,
    );
  });

  it("kills a process that ignores SIGTERM once its grace is over", async () => {
    const running = await startProcess({
      name: "stubborn",
      command: "sh",
      args: ["-c", "trap '' TERM; echo on; while :; do sleep 0.1; done"],
      logDir,
      ready: async () => (await readFile(join(logDir, "stubborn.log"), "utf8")) === "on\n",
    });
    await running.stop({ graceMs: 200 });
    await expect(running.exited).resolves.toEqual({ code: null, signal: "SIGKILL" });
  });

  it("leaves nothing behind when the process that started it is killed", async () => {
    const program = `
      const { startProcess } = await import(${JSON.stringify(PROCESS_MODULE)});
      const args = ["-c", "sleep 300 & echo $!; wait"];
      const running = await startProcess({ name: "orphan", command: "sh", args, logDir: ${JSON.stringify(logDir)} });
      console.log(running.pid);`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = await once(parent.stdout, "data");
    const shell = Number(String(line));
    while ((await readFile(join(logDir, "orphan.log"), "utf8")) === "") {
      await delay(20);
    }
    const grandchild = Number(await readFile(join(logDir, "orphan.log"), "utf8"));
    expect([isAlive(shell), isAlive(grandchild)]).toEqual([true, true]);

    parent.kill("SIGKILL");

    await expect(isGoneWithin(shell, 5000)).resolves.toBe(true);
    await expect(isGoneWithin(grandchild, 5000)).resolves.toBe(true);
  });
});
