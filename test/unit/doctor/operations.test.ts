import { describe, expect, it } from "@jest/globals";
import { functionsGrants } from "../../../shared/doctor/grants.ts";
import { checkOperations } from "../../../shared/doctor/operations.ts";
import { UnavailableError } from "../../../shared/errors.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { fakeClusterDirectory } from "../../support/fakes/cluster-directory.ts";

const MEMBERS = [
  aCluster({ name: "one", project: "shop" }),
  aCluster({ name: "two", project: "shop" }),
  aCluster({ name: "three", project: "other" }),
];

async function asked(
  change: (operations: ReturnType<typeof fakeClusterDirectory>) => void = () => undefined,
) {
  const operations = fakeClusterDirectory({ projects: ["shop", "other"] });
  change(operations);
  const grants = functionsGrants("reconciler");
  return await checkOperations({ operations }, MEMBERS, grants, AbortSignal.timeout(1000));
}

describe("doctor, of GKE's operations", () => {
  it("asks once for each project", async () => {
    expect((await asked()).map(({ state, message }) => [state, message])).toEqual([
      ["ok", "shop: GKE tells of its operations"],
      ["ok", "other: GKE tells of its operations"],
    ]);
  });

  it("calls a refusal a fault, with the grant that mends it", async () => {
    const [, other] = await asked((operations) => operations.refuse("other"));
    expect(other).toMatchObject({
      name: "operations",
      account: "reconciler",
      state: "fault",
      message: expect.stringContaining("container.operations.list is missing on project other"),
      cure: expect.any(String),
    });
  });

  it("does not know where GKE is silent", async () => {
    const error = new UnavailableError("no answer", { code: "Unavailable" });
    const [shop] = await asked((operations) => operations.failNext(error));
    expect(shop).toMatchObject({ state: "unknown" });
  });
});
