import { describe, expect, it } from "@jest/globals";
import { Validator } from "@seriousme/openapi-schema-validator";
import type { ErrorBody } from "../../../functions/http/answer.ts";
import { signOpenApi } from "../../../scripts/docs/openapi/sign-intermediate.ts";
import { SIGN_OUTPUTS } from "../../../scripts/docs/openapi/sign-intermediate-answers.ts";
import { openApi } from "../../../scripts/docs/openapi/sync-mesh.ts";
import { OUTPUTS } from "../../../scripts/docs/openapi/sync-mesh-answers.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { makeCsr } from "../../../shared/pki/csr.ts";
import { aMesh } from "../../support/fakes/mesh.ts";
import { aKeyPair } from "../../support/pki/gen.ts";
import { aFunction } from "./served.ts";
import { aSigner } from "./signer.ts";

describe("the OpenAPI document of sync-mesh", () => {
  it("is one", async () => {
    expect(await new Validator().validate(openApi())).toEqual({ valid: true });
  });

  it("names the routes that are served, and no other", async () => {
    const { call } = await aFunction(await aMesh());
    const { cure = "" }: ErrorBody = (await call("GET", "/nothing")).body;
    const served = new Set([...cure.matchAll(/\/\w*/g)].map(([path]) => path));
    for (const own of ["/nothing", "/", "/actions"]) served.delete(own);
    expect(Object.keys(openApi()["paths"] ?? {}).toSorted()).toEqual([...served].toSorted());
  });

  it("says what is answered", async () => {
    const mesh = await aMesh({ members: 3 });
    const { call, post } = await aFunction(mesh);
    const planned = (await call("GET", "/plan")).body;
    expect(planned.actions).not.toEqual([]);
    expect(OUTPUTS.Plan.parse(planned)).toEqual(planned);
    const done = (await post({})).body;
    expect(done.pairs).toHaveLength(6);
    expect(OUTPUTS.Summary.parse(done)).toEqual(done);
    mesh.servers[0]!.faults.unreachable = true;
    const shown = (await call("GET", "/status")).body;
    expect(shown.members.flatMap((member: { findings: unknown[] }) => member.findings)).not.toEqual([]);
    expect(OUTPUTS.Status.parse(shown)).toEqual(shown);
    const refused = (await post({ depp: true })).body;
    expect(OUTPUTS.Error.parse(refused)).toEqual(refused);
  });
});

describe("the OpenAPI document of sign-intermediate", () => {
  it("is one", async () => {
    expect(await new Validator().validate(signOpenApi())).toEqual({ valid: true });
  });

  it("names the routes that are served, and no other", async () => {
    const { call } = await aSigner(await aMesh());
    const refused: ErrorBody = (await call("GET", "/nothing")).body;
    expect(refused).toMatchObject({
      message: "/nothing is not served",
      cure: `use ${Object.keys(signOpenApi()["paths"] ?? {}).join(", ")}`,
    });
  });

  it("says what is answered", async () => {
    const mesh = await aMesh({ members: 1 });
    const { call, sign } = await aSigner(mesh);
    mesh.roots.setAliases({ signing: 1, next: 1, previous: 1 });
    const trusted = (await call("GET", "/trust-bundle")).body;
    expect(SIGN_OUTPUTS.TrustBundle.parse(trusted)).toEqual(trusted);
    const csr = await makeCsr(await aKeyPair(), "x");
    const issued = (await sign({ clusterId: clusterId(mesh.clusters[0]!.ref), csr })).body;
    expect(SIGN_OUTPUTS.Issued.parse(issued)).toEqual(issued);
    const refused = (await sign({ clusterId: "cn-nobody", csr })).body;
    expect(SIGN_OUTPUTS.Error.parse(refused)).toEqual(refused);
    mesh.roots.setAliases({ signing: 1 });
    const fit = (await call("GET", "/check")).body;
    expect(SIGN_OUTPUTS.Fitness.parse(fit)).toEqual(fit);
  });
});
