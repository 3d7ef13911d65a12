import { describe, expect, it } from "@jest/globals";
import { newCsrfToken } from "../../../functions/sync-mesh/csrf.ts";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { aMesh } from "../../support/fakes/mesh.ts";
import { expectJoined, versionsOf } from "../reconcile/world.ts";
import { aFunction } from "./served.ts";

const FORM = "application/x-www-form-urlencoded";

/** The page as a browser has it, and a way to send one of its forms. */
async function aBrowser(mesh: Awaited<ReturnType<typeof aMesh>>) {
  const { call, host } = await aFunction(mesh);
  const page = await call("GET", "/");
  const [cookie = ""] = page.headers.get("set-cookie")?.split(";") ?? [];
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? "";
  const submit = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
    call("POST", "/actions", {
      headers: { "content-type": FORM, origin: `http://${host}`, cookie, ...headers },
      body: new URLSearchParams({ csrf, ...fields }).toString(),
    });
  return { call, page, cookie, csrf, submit };
}

describe("GET /", () => {
  it("is the page, which nothing may be loaded into and nobody may keep", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    const { page } = await aBrowser(mesh);
    expect(page.status).toBe(200);
    expect(Object.fromEntries(page.headers)).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": expect.stringContaining("default-src 'none'"),
      "cache-control": "no-store",
      "set-cookie": expect.stringContaining("SameSite=Strict"),
      refresh: "30; url=/",
    });
    for (const { ref } of mesh.clusters) expect(page.text).toContain(clusterId(ref));
  });

  it("stops refreshing when told so, and while it shows a plan", async () => {
    const { call } = await aBrowser(await aMesh({ members: 1 }));
    for (const path of ["/?refresh=off", "/?plan=mesh"]) {
      expect((await call("GET", path)).headers.get("refresh")).toBeNull();
    }
  });

  it("keeps the token that the browser has", async () => {
    const { call, cookie, csrf } = await aBrowser(await aMesh({ members: 1 }));
    const again = await call("GET", "/", { headers: { cookie } });
    expect(again.text).toContain(`value="${csrf}"`);
  });

  it.each(["/?plan=Not+An+ID", "/?refresh=on", "/?what=else"])("names what is wrong in %s", async (path) => {
    const { call } = await aFunction(await aMesh());
    const { status, body } = await call("GET", path);
    expect([status, body.field]).toEqual([400, /\?(\w+)/.exec(path)?.[1]]);
  });
});

describe("POST /actions", () => {
  it("syncs the mesh, and shows what came of it", async () => {
    const mesh = await aMesh({ members: 2 });
    const { call, submit } = await aBrowser(mesh);
    const done = await submit({ action: "sync", scope: "mesh" });
    expect([done.status, done.headers.get("location")]).toEqual([303, "/#last-sync"]);
    await expectJoined(mesh);
    expect((await call("GET", "/")).text).toContain('id="last-sync"');
  });

  it("shows a plan, and writes nothing for it", async () => {
    const mesh = await aMesh({ members: 2 });
    const before = versionsOf(mesh);
    const { call, submit } = await aBrowser(mesh);
    const one = clusterId(mesh.clusters[0]!.ref);
    const planned = await submit({ action: "plan", scope: one });
    const location = planned.headers.get("location") ?? "";
    expect([planned.status, location]).toEqual([303, `/?plan=${one}#plan`]);
    const { text } = await call("GET", location.replace("#plan", ""));
    expect(text).toContain("A sync would create");
    expect(text).not.toContain("PRIVATE KEY");
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("takes a mass leave when it is confirmed, of the clusters that it showed and of no other", async () => {
    const mesh = await aMesh({ members: 5 });
    const { call, submit } = await aBrowser(mesh);
    await submit({ action: "sync", scope: "mesh" });
    const unlabel = (cluster: Cluster) => mesh.directory.put({ ...cluster, labels: {} });
    for (const cluster of mesh.clusters.slice(2)) unlabel(cluster);
    await submit({ action: "sync", scope: "mesh" });
    const { text } = await call("GET", "/?plan=mesh");
    const leaving = /name="leaving" value="([^"]+)"/.exec(text)?.[1] ?? "";
    unlabel(mesh.clusters[1]!);
    await submit({ action: "sync", scope: "mesh", leaving });
    await expectJoined(mesh, mesh.clusters.slice(0, 2));
  });

  it.each<[string, Record<string, string>, Record<string, string>]>([
    ["another token", { csrf: newCsrfToken() }, {}],
    ["no cookie", {}, { cookie: "" }],
    ["another site", {}, { origin: "https://evil.example" }],
    ["another site, as the browser knows", {}, { "sec-fetch-site": "cross-site" }],
  ])("refuses a form with %s, and does nothing", async (_, fields, headers) => {
    const mesh = await aMesh({ members: 1 });
    const { submit } = await aBrowser(mesh);
    const before = versionsOf(mesh);
    const refused = await submit({ action: "sync", scope: "mesh", ...fields }, headers);
    expect(refused).toMatchObject({ status: 403, body: { code: "Forbidden", field: "csrf" } });
    expect(versionsOf(mesh)).toEqual(before);
  });

  it.each<[string, Record<string, string>, Record<string, string>]>([
    ["action", { action: "destroy", scope: "mesh" }, {}],
    ["scope", { action: "sync", scope: "//evil.example" }, {}],
    ["confirm", { action: "sync", scope: "mesh", confirm: "Anything" }, {}],
    ["more", { action: "sync", scope: "mesh", more: "x" }, {}],
    ["content-type", { action: "sync", scope: "mesh" }, { "content-type": "text/plain" }],
  ])("names %s when it cannot take it", async (field, fields, headers) => {
    const { submit } = await aBrowser(await aMesh({ members: 1 }));
    expect(await submit(fields, headers)).toMatchObject({ status: 400, body: { field } });
  });
});
