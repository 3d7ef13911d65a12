import { describe, expect, it } from "@jest/globals";
import type { RootVersions } from "../../../shared/core/roots/state.ts";
import { checkRoot } from "../../../shared/doctor/google.ts";
import { functionsGrants } from "../../../shared/doctor/grants.ts";
import { aMesh } from "../../support/fakes/mesh.ts";
import { fakeRootStore } from "../../support/fakes/root-store.ts";

/**
 * What the reconciler says of the root where it reads other names of versions than the authority goes by,
 * which signs with version 1.
 */
async function checked(own: RootVersions) {
  const mesh = await aMesh({ members: 1 });
  const { ports, spec, signal } = mesh.run();
  const roots = fakeRootStore(spec.meshId);
  for (let version = 1; version <= 2; version += 1) roots.addVersion("");
  roots.setAliases(own);
  const question = {
    spec,
    signerUrl: "https://signer.example",
    grants: functionsGrants("reconciler"),
    signal,
  };
  return await checkRoot({ ...ports, roots }, question);
}

describe("the check of the root", () => {
  it("is fine where the authority signs with what this process reads", async () => {
    expect(await checked({ signing: 1 })).toMatchObject({ name: "root", state: "ok" });
  });

  it("is a fault where no version signs by the names that this process reads", async () => {
    expect(await checked({})).toMatchObject({
      state: "fault",
      cure: expect.stringContaining("--update-version-aliases=signing=VERSION"),
    });
  });

  it("is open where the authority goes by other names", async () => {
    expect(await checked({ signing: 2 })).toMatchObject({
      state: "unknown",
      message: expect.stringMatching(/"signing":2.*"signing":1/),
      cure: expect.stringContaining("MESHJOIN_ROOT_PROJECT"),
    });
  });
});
