import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { parse } from "yaml";
import { ROOT } from "../../../scripts/paths.ts";

/**
 * Buckets as folders; `cp` with --if-generation-match=0 makes an object and replaces none. The first cp of
 * $LOSE_ANSWER succeeds and says that it failed.
 */
const GCLOUD = `#!/bin/sh
set -eu
path() { echo "$BUCKETS/\${1#gs://}"; }
case "$1 $2" in
  "storage cp")
    [ "$3" = --if-generation-match=0 ] || exit 64
    to="$(path "$5")"
    [ ! -e "$to" ] || { echo "HTTPError 412: precondition failed" >&2; exit 1; }
    mkdir -p "\${to%/*}"
    cp "$4" "$to"
    [ "\${LOSE_ANSWER:-}" != "$4" ] ;;
  "storage cat") cat "$(path "$3")" ;;
  *) exit 64 ;;
esac
`;

let work: string;
let script: string;

beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), "meshjoin-publish-"));
  const build: { steps: { id: string; script: string }[] } = parse(
    await readFile(join(ROOT, "cloudbuild.yaml"), "utf8"),
  );
  script = build.steps.find(({ id }) => id === "publish")?.script ?? "";
  for (const folder of ["bin", "buckets", "release"]) await mkdir(join(work, folder));
  await writeFile(join(work, "bin", "gcloud"), GCLOUD);
  await chmod(join(work, "bin", "gcloud"), 0o755);
  await makeRelease("one");
});
afterEach(() => rm(work, { recursive: true, force: true }));

async function makeRelease(content: string): Promise<void> {
  const files = { "meshjoin-1.2.3.tgz": content, "NOTES.md": "notes" };
  for (const [name, text] of Object.entries(files)) await writeFile(join(work, "release", name), text);
  const sums = await promisify(execFile)("sha256sum", Object.keys(files), { cwd: join(work, "release") });
  await writeFile(join(work, "release", "SHA256SUMS"), sums.stdout);
}

const publish = async (env: Readonly<Record<string, string>> = {}) =>
  await promisify(execFile)("sh", ["-c", script], {
    cwd: work,
    env: {
      PATH: `${join(work, "bin")}:${process.env["PATH"]}`,
      BUCKETS: join(work, "buckets"),
      TAG_NAME: "v1.2.3",
      _RELEASE_BUCKET: "releases",
      ...env,
    },
  });

const folder = () => join(work, "buckets", "releases", "v1.2.3");

async function published(): Promise<Record<string, string>> {
  const names = await readdir(folder()).catch(() => []);
  const texts = await Promise.all(names.map((name) => readFile(join(folder(), name), "utf8")));
  return Object.fromEntries(names.map((name, index) => [name, texts[index] ?? ""]));
}

describe("the step publish of cloudbuild.yaml", () => {
  it("puts every file of a release into the folder of its tag, and does no harm again", async () => {
    await publish();
    const first = await published();
    expect(Object.keys(first).toSorted()).toEqual(["NOTES.md", "SHA256SUMS", "meshjoin-1.2.3.tgz"]);
    await publish();
    expect(await published()).toEqual(first);
  });

  it("goes on where a build died, or where an answer was lost", async () => {
    await mkdir(folder(), { recursive: true });
    await writeFile(join(folder(), "meshjoin-1.2.3.tgz"), "one");
    await publish({ LOSE_ANSWER: "NOTES.md" });
    expect(Object.keys(await published())).toHaveLength(3);
  });

  it("replaces nothing that is published, and says so", async () => {
    await publish();
    const first = await published();
    await makeRelease("two");
    await expect(publish()).rejects.toMatchObject({
      stderr: expect.stringContaining("gs://releases/v1.2.3/meshjoin-1.2.3.tgz is published already"),
    });
    expect(await published()).toEqual(first);
  });
});
