import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "@jest/globals";
import { processesWith } from "../../../../scripts/check/processes.ts";

const mark = `meshjoin-test-mark-${process.pid}`;
const started: ReturnType<typeof spawn>[] = [];

async function start(args: readonly string[], env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, ["-e", "console.log(1); setTimeout(() => {}, 60_000)", ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  started.push(child);
  await once(child.stdout, "data");
  return child;
}

afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

describe("processes that are left", () => {
  it.each([
    ["environment", [], { MARK: mark }],
    ["arguments", [mark], {}],
  ])("are known by a mark in their %s, until they end", async (_, args, env) => {
    expect(await processesWith([mark])).toEqual([]);
    const child = await start(args, env);
    await start(["another"], {});
    expect((await processesWith([mark])).map(({ pid }) => pid)).toEqual([child.pid]);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await processesWith([mark])).toEqual([]);
  });
});
