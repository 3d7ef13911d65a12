import { request as httpRequest } from "node:http";
import { afterEach, describe, expect, it } from "@jest/globals";
import { type LocalServer, listen, readBody } from "../../../sandbox/google/http/server.ts";
import { aMesh } from "../../support/fakes/mesh.ts";
import { call } from "./host.ts";

const servers: LocalServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** Stands for the function: says what it was sent. */
async function aFunction() {
  const server = await listen(async (request, response) => {
    const { method, url, headers } = request;
    const body = (await readBody(request)).toString();
    response
      .writeHead(method === "POST" ? 303 : 200, {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": "default-src 'none'",
        "set-cookie": "a=b; Path=/",
        location: "/#last-sync",
        server: "not for the browser",
      })
      .end(JSON.stringify({ method, url, headers, body }));
  });
  servers.push(server);
  return server;
}

/** Opens the page of `url`, and does `use` with its address while it is served. */
async function opened(url: string, use: (page: string) => Promise<void>, args = "--port 0") {
  const whileOpen = async (out: string) => await use(JSON.parse(out).url);
  return await call(await aMesh(), `open --output json --url ${url} ${args}`, { whileOpen });
}

describe("meshjoin open", () => {
  it("serves the page with the identity of the caller", async () => {
    const { url } = await aFunction();
    const ended = await opened(url, async (page) => {
      const response = await fetch(`${page}?plan=mesh`, { headers: { cookie: "a=b", "x-other": "c" } });
      const sent = JSON.parse(await response.text());
      expect(sent).toMatchObject({ method: "GET", url: "/?plan=mesh" });
      expect(sent.headers).toMatchObject({ authorization: `Bearer of-the-caller-for-${url}`, cookie: "a=b" });
      expect(sent.headers).not.toHaveProperty("x-other");
      const { headers } = response;
      expect([headers.get("content-security-policy"), headers.getSetCookie(), headers.get("server")]).toEqual(
        ["default-src 'none'", ["a=b; Path=/"], null],
      );
    });
    expect(ended).toMatchObject({ code: 0, err: "" });
  });

  it("sends forms on as the function expects them, and hands redirects back", async () => {
    const { url } = await aFunction();
    await opened(url, async (page) => {
      const send = (origin: string) =>
        fetch(`${page}actions`, {
          method: "POST",
          body: new URLSearchParams({ action: "sync" }),
          redirect: "manual",
          headers: { origin },
        });
      const own = await send(page.slice(0, -1));
      expect([own.status, own.headers.get("location")]).toEqual([303, "/#last-sync"]);
      expect(JSON.parse(await own.text())).toMatchObject({ body: "action=sync", headers: { origin: url } });
      const foreign = JSON.parse(await (await send("https://evil.example")).text());
      expect(foreign.headers.origin).toBe("https://evil.example");
    });
  });

  it("serves nobody who calls it by another name, and nothing but the page", async () => {
    const { url } = await aFunction();
    await opened(url, async (page) => {
      expect(await statusOf(page, { host: "evil.example" })).toBe(421);
      expect((await fetch(`${page}sync`, { method: "POST" })).status).toBe(404);
      const large = "x".repeat(70_000);
      expect((await fetch(`${page}actions`, { method: "POST", body: large })).status).toBe(413);
    });
  });

  it("says so when the function is gone", async () => {
    const server = await aFunction();
    await server.close();
    await opened(server.url, async (page) => {
      const response = await fetch(page);
      expect([response.status, await response.text()]).toEqual([
        502,
        expect.stringContaining(`${server.host} gives no answer`),
      ]);
    });
  });

  it("says so when the credentials have run out", async () => {
    const { url } = await aFunction();
    let signedIn = true;
    const { code } = await call(await aMesh(), `open --output json --url ${url} --port 0`, {
      isSignedIn: () => signedIn,
      async whileOpen(out) {
        signedIn = false;
        const response = await fetch(JSON.parse(out).url);
        expect([response.status, await response.text()]).toEqual([
          502,
          "the credentials give no identity token; sign in\n",
        ]);
      },
    });
    expect(code).toBe(0);
  });

  it.each([
    ["http://sync-mesh.example", "--port 0", "--url"],
    ["sync-mesh", "--port 0", "--url"],
    ["https://sync-mesh.example", "--port 99999", "--port"],
  ])("refuses %s %s", async (url, args, field) => {
    const { code, err } = await opened(url, async () => undefined, args);
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(new RegExp(`^error: ${field} is .*\\ncure: give `)),
    ]);
  });

  it("names the cure where the port is taken", async () => {
    const { url, port } = await aFunction();
    const { code, err } = await opened(url, async () => undefined, `--port ${port}`);
    expect([code, err]).toEqual([2, expect.stringContaining("choose another with --port")]);
  });
});

async function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    httpRequest(url, { headers }, (response) => resolve(response.resume().statusCode))
      .on("error", reject)
      .end();
  });
}
