import { appendFile, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import {
  type ContainerLog,
  type LogOptions,
  logOptionsOf,
  readLog,
} from "../../../../../sandbox/cluster/node/container-log.ts";

const STARTED = "2026-11-28T10:00:00.000Z";
const RUN = [
  "before the first time",
  "2026-11-28T10:00:01.5Z\tinfo\tone",
  "2026-11-28T10:00:02.123456Z\tinfo\ttwo",
  "\tat a line of a stack",
  "2026-11-28T10:00:03.000001Z\tinfo\tthree",
];
const NONE: LogOptions = { previous: false, follow: false, timestamps: false };

let dir: string;
let path: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "meshjoin-log-"));
  path = join(dir, "istiod.log");
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function aLog(lines: readonly string[], before = ""): Promise<ContainerLog & { to?: number }> {
  await writeFile(path, `${before}${lines.map((line) => `${line}\n`).join("")}`);
  return { path, from: Buffer.byteLength(before), startedAt: STARTED };
}

async function textOf(log: ContainerLog, options: Partial<LogOptions> = {}): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of readLog(log, { ...NONE, ...options }, new AbortController().signal)) {
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

async function linesOf(log: ContainerLog, options: Partial<LogOptions> = {}): Promise<string[]> {
  return (await textOf(log, options)).split("\n").slice(0, -1);
}

describe("the log of a container", () => {
  it("is the whole of one run, and nothing of the run before it", async () => {
    expect(await linesOf(await aLog(RUN, "of the run before\n"))).toEqual(RUN);
  });

  it.each([
    [0, []],
    [2, RUN.slice(3)],
    [99, RUN],
  ])("ends with the last %s lines", async (tailLines, expected) => {
    expect(await linesOf(await aLog(RUN), { tailLines })).toEqual(expected);
  });

  it("leaves out what is older, also of the last lines; a line without a time has that of the line before", async () => {
    const since = Date.parse("2026-11-28T10:00:02Z");
    expect(await linesOf(await aLog(RUN), { since })).toEqual(RUN.slice(2));
    expect(await linesOf(await aLog(RUN), { since, tailLines: 4 })).toEqual(RUN.slice(2));
    expect(await linesOf(await aLog(RUN), { since: Date.parse("2026-11-28T11:00:00Z") })).toEqual([]);
  });

  it("has a time before each line, nine digits after the second", async () => {
    const times = (await linesOf(await aLog(RUN), { timestamps: true })).map((line) => line.split(" ")[0]);
    expect(times).toEqual([
      STARTED,
      "2026-11-28T10:00:01.500000000Z",
      "2026-11-28T10:00:02.123456000Z",
      "2026-11-28T10:00:02.123456000Z",
      "2026-11-28T10:00:03.000001000Z",
    ]);
  });

  it("ends after so many bytes", async () => {
    expect(await textOf(await aLog(RUN), { limitBytes: 10 })).toBe("before the");
  });

  it("leaves a line alone that is still being written, until the run is over", async () => {
    const log = await aLog(RUN);
    await appendFile(path, "half a");
    expect(await linesOf(log)).toEqual(RUN);
    expect(await textOf({ ...log, to: (await stat(path)).size })).toMatch(/half a\n$/);
  });

  it("goes on while it is followed, until the run is over", async () => {
    const log = await aLog(RUN);
    const parts = readLog(log, { ...NONE, follow: true, tailLines: 1 }, new AbortController().signal);
    expect((await parts.next()).value?.toString()).toBe(`${RUN.at(-1)}\n`);
    await appendFile(path, "2026-11-28T10:00:04Z\tinfo\tfour\n");
    await appendFile(path, "last words");
    log.to = (await stat(path)).size;
    await appendFile(path, "of the next run\n");
    const rest: string[] = [];
    for await (const part of parts) rest.push(part.toString());
    expect(rest.join("")).toBe("2026-11-28T10:00:04Z\tinfo\tfour\nlast words\n");
  });

  it("takes what kube-apiserver hands on", () => {
    const query = (text: string) => logOptionsOf(new URLSearchParams(text), 1_000_000);
    expect(query("")).toEqual(NONE);
    expect(query("follow=true&previous=true&timestamps=true&tailLines=0&limitBytes=7")).toEqual({
      follow: true,
      previous: true,
      timestamps: true,
      tailLines: 0,
      limitBytes: 7,
    });
    expect(query("sinceSeconds=10")).toMatchObject({ since: 990_000 });
    expect(query("sinceTime=1970-01-01T00%3A01%3A00Z")).toMatchObject({ since: 60_000 });
  });
});
