import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { grantedPermissions } from "../../../../../sandbox/google/permissions/granted.ts";
import { MAP_LINES } from "../../../../../sandbox/google/permissions/kubernetes-permission.ts";
import { NOT_EXERCISED } from "../../../../../scripts/check/permissions/not-exercised.ts";
import { ROOT } from "../../../../../scripts/paths.ts";

const IN_THE_CLUSTERS = new Set(MAP_LINES.map(({ permission }) => permission));
const ON_GOOGLE_CLOUD =
  /^(?:container\.(?:clusters\.(?:connect|get|list)|operations\.list)|secretmanager\.(?:secrets|versions)\.[a-z]+)$/;

async function terraformFiles(): Promise<string[]> {
  const folder = join(ROOT, "terraform");
  const files = await readdir(folder, { recursive: true });
  return await Promise.all(
    files.filter((name) => name.endsWith(".tf")).map((name) => readFile(join(folder, name), "utf8")),
  );
}

describe("what Terraform grants", () => {
  it("is permissions that the stand-ins know, so that none is taken for granted", async () => {
    const permissions = Object.values(await grantedPermissions()).flat();
    expect(permissions.filter((each) => !IN_THE_CLUSTERS.has(each) && !ON_GOOGLE_CLOUD.test(each))).toEqual(
      [],
    );
    expect(permissions.length).toBeGreaterThan(10);
  });

  it("beside the custom roles has a reason for not being exercised", async () => {
    const roles = (await terraformFiles()).flatMap((text) => text.match(/"roles\/[\w.]+"/g) ?? []);
    const names = new Set(roles.map((role) => role.slice(1, -1)));
    expect([...names].filter((name) => !(name in NOT_EXERCISED))).toEqual([]);
  });
});
