import { lstat, mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type VolumeContent, writeVolume } from "../../../../../sandbox/cluster/node/volumes.ts";

function content(files: Readonly<Record<string, string>>): VolumeContent {
  return new Map(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)]));
}

describe("writeVolume", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "meshjoin-volume-"));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it("shows files through the ..data symlink", async () => {
    await writeVolume(directory, content({ "ca-cert.pem": "one" }));
    await expect(readFile(join(directory, "ca-cert.pem"), "utf8")).resolves.toBe("one");
    await expect(readlink(join(directory, "ca-cert.pem"))).resolves.toBe("..data/ca-cert.pem");
    expect((await lstat(join(directory, "..data"))).isSymbolicLink()).toBe(true);
  });

  it("swaps to a new directory on a change and removes the old one", async () => {
    await writeVolume(directory, content({ "ca-cert.pem": "one", "ca-key.pem": "key" }));
    const before = await readlink(join(directory, "..data"));
    await writeVolume(directory, content({ "ca-cert.pem": "two" }));
    const after = await readlink(join(directory, "..data"));
    expect(after).not.toBe(before);
    await expect(readFile(join(directory, "ca-cert.pem"), "utf8")).resolves.toBe("two");
    expect((await readdir(directory)).toSorted()).toEqual(["..data", after, "ca-cert.pem"].toSorted());
  });

  it("leaves everything alone when nothing changed", async () => {
    await writeVolume(directory, content({ "ca-cert.pem": "one" }));
    const before = await readlink(join(directory, "..data"));
    await writeVolume(directory, content({ "ca-cert.pem": "one" }));
    await expect(readlink(join(directory, "..data"))).resolves.toBe(before);
  });
});
