import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import manifest from "../../package.json" with { type: "json" };
import { ensureBinaries } from "../../sandbox/binaries/build.ts";
import { MIRROR_HUB } from "../../sandbox/google/cloud.ts";
import { ROOT } from "../../scripts/paths.ts";
import { readSchema } from "../../scripts/terraform/schema.ts";
import { withStandIn } from "../../scripts/terraform/stand-in/provider.ts";
import pin from "../../shared/istio/pin.json" with { type: "json" };
import { makeRoot } from "../../shared/pki/make-root.ts";
import { standInForTheRelease } from "../contract/stand-in-istioctl.ts";
import { readCommands } from "../support/runbook/commands.ts";
import { UNTRIED_IN_GUIDE, unaccounted } from "../support/runbook/untried.ts";
import { copySources } from "../support/sources.ts";
import { type CloudProject, startCloudProject } from "./world/cloud-project.ts";
import { type Desk, sitDown } from "./world/desk.ts";
import { MESH_LABEL, membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { createRootSecret, deleteRootSecret, rootVersions } from "./world/google.ts";
import { expectForgotten, expectPaired } from "./world/mesh.ts";
import { missingPrograms, openPage } from "./world/page.ts";

const PREPARE_MS = 180_000;

const LOGIN = "Log in";
const RELEASE = "A release";
const PROJECT = "One project";
const AUTOPILOT = "Autopilot";
const OWN_ROOT = "A root of your own";
const UPGRADE = "Upgrade";
const ROLES = "Roles";
const PIPELINE = "By a pipeline";
const REMOVE = "Remove";

/** The functions have the hub that the guide's apply gives them. */
const world = useFleet({ members: 0, firewall: false, env: { MESHJOIN_ISTIO_HUB: MIRROR_HUB } });

const commands = readCommands(readFileSync(join(ROOT, "docs", "deploy.md"), "utf8"));
const missing = missingPrograms(commands);
let desk: Desk;
let cloud: CloudProject;
const { expectCommand, expectAsked, setVariables, untried } = openPage(
  commands,
  () => desk,
  () => cloud.unserved,
);

/**
 * A folder that a person would have at hand: `clone` of the repository, `home`, the folder that npm installs
 * to.
 */
const folder = (name: string) => join(dirname(world.fleet.file().logDir), name);

/**
 * What `gcloud auth login --update-adc` leaves of a person, while `work` lasts: afterwards application
 * default credentials are again those that the sandbox gives out.
 */
async function loggedIn(work: () => Promise<unknown>): Promise<void> {
  const file = join(folder("gcloud"), "application_default_credentials.json");
  const person = { type: "authorized_user", client_id: "a", client_secret: "b", refresh_token: "c" };
  await writeFile(file, JSON.stringify(person));
  await work();
  await rm(file);
}

/** Terraform makes it in Google Cloud, the stand-in of its provider does not. */
async function leaveRootAsTerraformDoes(): Promise<void> {
  await deleteRootSecret(world.fleet);
  await createRootSecret(world.fleet);
}

async function providersAreThere(): Promise<void> {
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  const { promise: environment, resolve: begin } = Promise.withResolvers<NodeJS.ProcessEnv>();
  const served = withStandIn(readSchema(), async (given) => {
    begin(given);
    await over;
  });
  world.fleet.beforeStop(async () => {
    end();
    await served;
  });
  const { TF_REATTACH_PROVIDERS } = await environment;
  await desk.set(`TF_REATTACH_PROVIDERS='${TF_REATTACH_PROVIDERS}'`);
}

beforeAll(async () => {
  const { fleet } = world;
  cloud = await startCloudProject(fleet.file().project);
  fleet.beforeStop(() => cloud.close());
  desk = await sitDown(fleet, {});
  const apis = {
    CLOUDBUILD: "",
    CLOUDRESOURCEMANAGER: "",
    IAM: "",
    SERVICEUSAGE: "",
    STORAGE: "storage/v1/",
  };
  const overrides = Object.entries(apis).map(
    ([api, path]) => `CLOUDSDK_API_ENDPOINT_OVERRIDES_${api}='${cloud.url}/${path}'`,
  );
  await desk.set(
    [
      ...overrides,
      `CLOUDSDK_AUTH_TOKEN_HOST='${cloud.url}/token'`,
      `PATH='${folder("npm")}/bin:${dirname(process.execPath)}':"$PATH"`,
      `npm_config_prefix='${folder("npm")}' npm_config_offline=true npm_config_audit=false`,
    ].join("\n"),
  );
  await copySources(folder("clone"));
  const { istioctl } = await ensureBinaries(() => undefined, pin.release);
  await standInForTheRelease(join(folder("clone"), "istioctl"), { istioctl, release: pin.release });
  await mkdir(folder("home"));
  if (!missing.includes("terraform")) await providersAreThere();
  await setVariables(LOGIN, /^PROJECT=/, {
    "<project>": fleet.file().project,
    "<mesh ID>": fleet.file().meshId,
  });
}, PREPARE_MS);

describe("a command of the guide", () => {
  for (const program of missing) {
    it(`that needs ${program} is not run here, for want of it`, () => {
      expect(spawnSync(program).error).toMatchObject({ code: "ENOENT" });
    });
  }

  it(
    "18.1 leads the programs to the project",
    async () => {
      await expectCommand(LOGIN, /config set project/, { shows: ["Updated property [core/project]"] });
      await loggedIn(() =>
        expectCommand(LOGIN, /set-quota-project/, { shows: [world.fleet.file().project] }),
      );
    },
    SCENARIO_MS,
  );

  it(
    "18.2 makes a release in a clone, and installs the one that a bucket holds",
    async () => {
      await desk.set(`cd '${folder("clone")}'`);
      await setVariables(RELEASE, /^VERSION="/);
      await expectCommand(RELEASE, /^npm run release/, {
        shows: [`meshjoin-functions-${manifest.version}.zip`],
      });
      await setVariables(RELEASE, /^cd release$/);
      await expectCommand(RELEASE, /^sha256sum/, { shows: ["NOTES.md: OK"] });

      for (const name of readdirSync(join(folder("clone"), "release"))) {
        const content = await readFile(join(folder("clone"), "release", name));
        cloud.objects.set(`v${manifest.version}/${name}`, content);
      }
      await desk.set(`cd '${folder("home")}'`);
      await setVariables(RELEASE, /^VERSION=\d/, { "<bucket>": "releases" });
      await expectCommand(RELEASE, /^gcloud storage cp/);
      await setVariables(RELEASE, /^cd "/);
      await expectCommand(RELEASE, /^sha256sum/, { shows: ["NOTES.md: OK"] });
      await expectCommand(RELEASE, /^npm install/);
      await expectCommand(RELEASE, /^tar -xzf/);
      expect((await desk.run("meshjoin --version")).out).toContain(`meshjoin ${manifest.version}`);
    },
    PREPARE_MS,
  );

  it(
    "18.3 prepares the project, applies the modules, and makes the root",
    async () => {
      await expectCommand(PROJECT, /^gcloud services enable/);
      await expectCommand(PROJECT, /identity create --service=pubsub/);
      await expectCommand(PROJECT, /identity create --service=secretmanager/);
      const identities = [...cloud.identities];
      expect(identities).toHaveLength(missing.includes("gcloud") ? 0 : 2);
      expect(identities.filter((api) => !cloud.enabled.has(api))).toEqual([]);
      await setVariables(PROJECT, /^export MESHJOIN_MESH_ID/);
      await expectCommand(PROJECT, /^terraform .* init$/);
      await expectCommand(PROJECT, /^terraform .* apply /, { shows: ["Apply complete!"] });
      await leaveRootAsTerraformDoes();
      await setVariables(PROJECT, /^eval /);
      const hub = missing.includes("terraform")
        ? MIRROR_HUB
        : (await desk.run('echo "$MESHJOIN_ISTIO_HUB"')).out;
      expect(hub.trim()).toBe(MIRROR_HUB);
      await expectCommand(PROJECT, /^meshjoin root init$/);
      expect(await rootVersions(world.fleet)).toEqual({ 1: true });
    },
    PREPARE_MS,
  );

  it(
    "18.4 makes members, shows that pods do not reach each other, and mends that",
    async () => {
      const { fleet } = world;
      const create = await expectCommand(PROJECT, /^gcloud container clusters create east/);
      if (create === "")
        await fleet.createCluster("east", { labels: MESH_LABEL, location: "europe-west1-b" });
      const { name, location } = await fleet.createCluster("old", { labels: {} });
      const values = { "<location>": location, "<cluster>": name };
      await expectCommand(PROJECT, /^meshjoin label/, { values });
      await fleet.waitUntilSynced();
      await expectPaired(membersOf(fleet));
      expect(membersOf(fleet).map((member) => member.name)).toEqual(expect.arrayContaining(["east", "old"]));
      await expectCommand(PROJECT, /^meshjoin status$/, { shows: ["synced"] });

      const told = await expectCommand(PROJECT, /^meshjoin doctor$/, { code: 1, shows: ["firewall"] });
      const cure = /(?<command>gcloud compute firewall-rules create .+)/;
      if (missing.includes("gcloud")) return;
      const command = cure.exec(told)?.groups?.["command"] ?? "false";
      expect(await desk.run(command)).toMatchObject({ code: 0 });
      expect((await desk.run("meshjoin doctor")).out).not.toMatch(cure);
    },
    PREPARE_MS,
  );

  it(
    "18.5 lets a namespace have sidecars",
    async () => {
      if (missing.includes("gcloud")) return;
      await desk.run("kubectl create namespace shop");
      await expectCommand(PROJECT, /^kubectl label namespace/, { shows: ["namespace/shop labeled"] });
    },
    SCENARIO_MS,
  );

  it(
    "18.6 makes an Autopilot cluster that admits sidecars",
    async () => {
      const values = { NAME: "pilot", LOCATION: "europe-west1" };
      await expectCommand(AUTOPILOT, /create-auto/, { values });
      await expectCommand(AUTOPILOT, /clusters update/, { values });
    },
    SCENARIO_MS,
  );

  it(
    "18.7 takes a root of one's own",
    async () => {
      const { certificate, privateKey } = await makeRoot({ organization: "our own", now: new Date() });
      await desk.set(`cd '${folder("home")}'; MESHJOIN_MESH_ID=own`);
      await writeFile(join(folder("home"), "root-cert.pem"), certificate);
      await writeFile(join(folder("home"), "root-key.pem"), privateKey, { mode: 0o600 });
      await desk.run("gcloud secrets create own-root-ca --replication-policy=automatic");
      await expectCommand(OWN_ROOT, /root import - --yes$/, { shows: ["version 1 signs"] });
      await desk.set(`cd "v$VERSION"; MESHJOIN_MESH_ID="$MESH"`);
    },
    SCENARIO_MS,
  );

  it(
    "18.8 rolls out the Istio of the release",
    async () => {
      await expectCommand(UPGRADE, /^meshjoin upgrade$/);
      await desk.set("cd terraform");
      await expectCommand(UPGRADE, /^terraform init -upgrade$/);
      await desk.set("cd ..");
    },
    SCENARIO_MS,
  );

  it(
    "18.9 is one that gcloud takes as it stands, where its API is played by nobody",
    async () => {
      const { project } = world.fleet.file();
      const page = { PROJECT: project };
      const policy = new RegExp(`^POST /v1/projects/${project}:getIamPolicy`);
      await expectAsked(
        PROJECT,
        /service-accounts create meshjoin-page/,
        /^POST .*serviceAccounts .*meshjoin-page/,
      );
      await expectAsked(
        PROJECT,
        /add-iam-policy-binding meshjoin-page/,
        /serviceAccounts\/meshjoin-page@.*getIamPolicy/,
        page,
      );
      await setVariables(ROLES, /^MEMBER=/, { "<you>": "you@example.com" });
      await expectAsked(ROLES, /^for ROLE/, policy);

      const owner = { "<owner on GitHub>": "octo", "<its name there>": "mesh" };
      await setVariables(PIPELINE, /^REGION=/, owner);
      await expectCommand(PIPELINE, /^gcloud services enable/);
      await expectAsked(PIPELINE, /^for BUCKET/, /^POST \/storage\/v1\/b .*"enforced"/);
      await expectAsked(PIPELINE, /buckets update/, /\/storage\/v1\/b\/.*-meshjoin-state/);
      await expectAsked(PIPELINE, /accounts create meshjoin-deploy/, /serviceAccounts .*meshjoin-deploy/);
      await expectAsked(PIPELINE, /accounts create meshjoin-plan/, /serviceAccounts .*meshjoin-plan/);
      await setVariables(PIPELINE, /^DEPLOY=/);
      await expectAsked(PIPELINE, /^for ACCOUNT/, policy);
      await expectAsked(PIPELINE, /^for ROLE in viewer/, policy);
      await expectAsked(PIPELINE, /^gcloud storage buckets add-iam/, /-meshjoin-state\/iam/);
      await setVariables(PIPELINE, /^VALUES=/);
      await expectAsked(
        PIPELINE,
        /--name=meshjoin-plan/,
        /triggers .*COMMENTS_ENABLED.*"_MESH_ID": "sandbox"/,
      );
      await expectAsked(PIPELINE, /--name=meshjoin-deploy/, /triggers .*"push": \{"branch": "\^main\$"\}/);
      await expectAsked(PIPELINE, /triggers run/, /triggers\/meshjoin-deploy:run .*"main"/);
      await expectAsked(
        PIPELINE,
        /buckets create "gs:\/\/\$PROJECT-meshjoin-releases/,
        /^POST \/storage\/v1\/b .*-releases"/,
      );
      await expectAsked(PIPELINE, /accounts create meshjoin-release/, /serviceAccounts .*meshjoin-release/);
      await setVariables(PIPELINE, /^RELEASE=/);
      await expectAsked(PIPELINE, /member="serviceAccount:\$RELEASE" --role=roles\/logging/, policy);
      await expectAsked(PIPELINE, /^for ROLE in objectCreator/, /-meshjoin-releases\/iam/);
      await expectAsked(PIPELINE, /--name=meshjoin-release/, /triggers .*"tag": "\^v\[0-9\]"/);
      await expectCommand("Private clusters", /identity create/);
    },
    SCENARIO_MS,
  );

  it(
    "18.10 takes a member out, and the deployment away",
    async () => {
      const { fleet } = world;
      const old = membersOf(fleet).find(({ name }) => name === "old");
      if (old === undefined) throw new Error("there is a member of that name");
      await expectCommand(REMOVE, /^meshjoin leave/, { values: { CLUSTER: old.clusterId } });
      await expectForgotten(fleet, old);
      await expectCommand(REMOVE, /state rm/, { shows: ["Successfully removed 1 resource instance(s)"] });
      await expectCommand(REMOVE, /destroy/, { shows: ["Destroy complete!"] });
      await expectCommand(REMOVE, /secrets delete/);
      if (missing.includes("gcloud")) return;
      await expect(rootVersions(fleet)).rejects.toThrow("NOT_FOUND");
    },
    PREPARE_MS,
  );

  it("18.11 is tried, or it is on record why not; one that is neither is seen", () => {
    expect(unaccounted(untried(), UNTRIED_IN_GUIDE)).toEqual([]);
    const planted = "gcloud projects delete shop";
    expect(unaccounted([...untried(), planted], UNTRIED_IN_GUIDE)).toEqual([planted]);
  });
});
