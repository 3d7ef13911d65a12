import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { parse } from "yaml";
import { ROOT } from "../../../scripts/paths.ts";
import { parsePin } from "../../../shared/istio/pin.ts";
import { type Messages, messageFaults } from "./message-faults.ts";

interface Step {
  readonly id: string;
  readonly name: string;
  readonly waitFor?: readonly string[];
  readonly script?: string;
  readonly entrypoint?: string;
  readonly args?: readonly string[];
}

interface Build {
  readonly substitutions: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

/** For these no digest was to be had; cloudbuild.yaml says so. */
const WITHOUT_DIGEST = [
  /^gcr\.io\/cloud-builders\/docker$/,
  /^gcr\.io\/google\.com\/cloudsdktool\/google-cloud-cli:[\d.]+-stable$/,
];
/**
 * Set by triggers of pull requests alone;
 * https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values
 */
const OF_PULL_REQUESTS = ["_PR_NUMBER"];

const read = (path: string) => readFile(join(ROOT, path), "utf8");

let messages: Messages;
let text: string;
let build: Build;

beforeAll(async () => {
  ({ messages } = JSON.parse(await read("test/support/fixtures/cloudbuild/messages.json")));
  text = await read("cloudbuild.yaml");
  build = parse(text);
});

const faultsOf = (yaml: string) => messageFaults(messages, "Build", parse(yaml));

describe("cloudbuild.yaml", () => {
  it("has no key that Cloud Build's API does not have, and nothing of another shape", () => {
    expect(faultsOf(text)).toEqual([]);
  });

  it.each([
    [
      "a misspelt key",
      "substitutions:",
      "substitution:",
      /^substitution: Build has no such field; is it substitutions\?/,
    ],
    ["a misspelt key of a step", "    waitFor:", "    waitfor:", /^steps\[\d\]\.waitfor: .* is it waitFor\?/],
    ["a misspelt option", "dynamicSubstitutions:", "dynamicSubstitution:", /^options\.dynamicSubstitution: /],
    ["a text for a list", "waitFor: [check, test, istioctl]", "waitFor: check", /waitFor: this is no list$/],
    [
      "a value that the enum lacks",
      "CLOUD_LOGGING_ONLY",
      "CLOUD_LOGS_ONLY",
      /"CLOUD_LOGS_ONLY" is none of LoggingMode/,
    ],
    [
      "a duration without its unit",
      "timeout: 3600s",
      "timeout: 3600",
      /^timeout: 3600 is no google\.protobuf\.Duration/,
    ],
    [
      "a text for a switch",
      "automapSubstitutions: true",
      'automapSubstitutions: "yes"',
      /automapSubstitutions: "yes" is no bool/,
    ],
    ["a number for a text", "_REGION: europe-west1", "_REGION: 1", /^substitutions\._REGION: 1 is no string/],
    ["what only Cloud Build sets", "timeout: 3600s", "status: SUCCESS", /^status: only Cloud Build sets it/],
    ["a key of another place", "  machineType:", "  diskSize:", /^options\.diskSize: /],
  ])("would not get by with %s", (_, right, wrong, fault) => {
    expect(text).toContain(right);
    expect(faultsOf(text.replace(right, wrong))).toContainEqual(expect.stringMatching(fault));
  });

  it("lets each step wait for earlier ones", () => {
    const earlier = new Set(["-"]);
    for (const { id, waitFor = [] } of build.steps) {
      expect({ id, waitFor: waitFor.filter((other) => !earlier.has(other)) }).toEqual({ id, waitFor: [] });
      earlier.add(id);
    }
  });

  it("names every image by its digest, but for those of which none is known", () => {
    const unpinned = build.steps
      .map(({ name }) => name)
      .filter((name) => !/:[\w.-]+@sha256:[0-9a-f]{64}$/.test(name));
    expect(unpinned.filter((name) => !WITHOUT_DIGEST.some((known) => known.test(name)))).toEqual([]);
    expect(new Set(unpinned).size).toBe(WITHOUT_DIGEST.length);
  });

  it("renders with the istioctl of the pinned release", async () => {
    const { hub, release } = parsePin(await read("shared/istio/pin.json"));
    const images = Array.from(text.matchAll(/\S+\/istioctl:[\w.-]+/g), ([image]) => image);
    expect(images).toEqual([`${hub}/istioctl:${release}`]);
  });

  it("declares the substitutions that it uses, and no others", () => {
    const body = text.slice(text.indexOf("\nserviceAccount:")) + Object.values(build.substitutions).join(" ");
    const used = new Set(Array.from(body.matchAll(/\$\{?(_[A-Z_]+)/g), ([, name = ""]) => name));
    const declared = [...Object.keys(build.substitutions), ...OF_PULL_REQUESTS];
    expect([...used].toSorted((a, b) => a.localeCompare(b))).toEqual(
      declared.toSorted((a, b) => a.localeCompare(b)),
    );
  });

  it("is set up as docs/deploy.md says: with substitutions and accounts that it has", async () => {
    const guide = await read("docs/deploy.md");
    const set = Array.from(guide.matchAll(/\b(_[A-Z_]+)=/g), ([, name = ""]) => name);
    expect(new Set(set)).toEqual(new Set(["_MESH_ID", "_REGION", "_PROJECTS"]));
    expect(Object.keys(build.substitutions)).toEqual(expect.arrayContaining(set));
    const account = build.substitutions["_ACCOUNT"]?.split("@")[0] ?? "";
    expect(guide).toContain(`gcloud iam service-accounts create ${account}\n`);
  });

  it("has scripts that a shell can read, of npm scripts that there are", async () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(await read("package.json"));
    for (const { id, script, entrypoint, args } of build.steps) {
      if (script === undefined) continue;
      expect({ id, entrypoint, args }).toEqual({ id, entrypoint: undefined, args: undefined });
      await promisify(execFile)("sh", ["-n", "-c", script]);
      const asked = Array.from(script.matchAll(/npm run ([\w:]+)/g), ([, name = ""]) => name);
      expect({ id, unknown: asked.filter((name) => !(name in scripts)) }).toEqual({ id, unknown: [] });
    }
  });

  it.each(["release", "publish"])("does nothing towards a release where there is no tag: %s", async (id) => {
    const { script = "" } = build.steps.find((step) => step.id === id) ?? {};
    const done = promisify(execFile)("/bin/sh", ["-c", script], { env: { PATH: "/nowhere" } });
    await expect(done).resolves.toEqual({ stdout: "", stderr: "" });
  });

  it("deploys nothing where there is a tag", async () => {
    const { script = "" } = build.steps.find((step) => step.id === "terraform") ?? {};
    const env = { PATH: "/nowhere", TAG_NAME: "v1.2.3" };
    await expect(promisify(execFile)("/bin/sh", ["-c", script], { env })).resolves.toEqual({
      stdout: "",
      stderr: "",
    });
  });

  it("sets variables that the root module has", async () => {
    const module = await read("terraform/variables.tf").catch(() => undefined);
    const set = Array.from(text.matchAll(/TF_VAR_(\w+)=/g), ([, name = ""]) => name);
    expect(set.length).toBeGreaterThan(3);
    const unknown = set.filter((name) => module !== undefined && !module.includes(`variable "${name}"`));
    expect(unknown).toEqual([]);
  });
});
