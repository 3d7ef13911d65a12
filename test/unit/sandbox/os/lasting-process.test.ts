import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "@jest/globals";
import { keepRunning, type LastingProcess } from "../../../../sandbox/os/lasting-process.ts";

let lasting: LastingProcess | undefined;
let dir: string;
afterEach(async () => {
  await lasting?.stop();
  await rm(dir, { recursive: true, force: true });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !holds(); tries += 1) await sleep(25);
  expect(holds()).toBe(true);
}

describe("a lasting process", () => {
  it("is followed by another when it dies, and by none once it is stopped", async () => {
    dir = await mkdtemp(join(tmpdir(), "lasting-"));
    lasting = await keepRunning({ name: "sleeper", command: "sleep", args: ["600"], logDir: dir });
    const { pid: first } = lasting;
    process.kill(first, "SIGKILL");
    await until(() => lasting?.pid !== first);
    const { pid: second } = lasting;
    expect([isAlive(first), isAlive(second)]).toEqual([false, true]);

    await lasting.stop();
    expect(lasting.pid).toBe(second);
    expect(isAlive(second)).toBe(false);
  });

  it("fails to start like any other process", async () => {
    dir = await mkdtemp(join(tmpdir(), "lasting-"));
    const start = keepRunning({ name: "nobody", command: join(dir, "no-such-program"), logDir: dir });
    await expect(start).rejects.toMatchObject({ code: "ProcessFailed" });
  });
});
