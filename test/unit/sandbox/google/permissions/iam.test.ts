import { describe, expect, it } from "@jest/globals";
import { accountsOf } from "../../../../../sandbox/google/identity/accounts.ts";
import { reviewAccess } from "../../../../../sandbox/google/permissions/access-review.ts";
import { createIam } from "../../../../../sandbox/google/permissions/iam.ts";

const accounts = accountsOf("shop");
const READ_PAYLOAD = "secretmanager.versions.access";

function anIam({ signerRuns = true } = {}) {
  return createIam({
    accounts,
    granted: {
      reconciler: ["container.clusters.connect", "container.secrets.get"],
      rotator: ["container.secrets.get"],
      signer: [READ_PAYLOAD],
    },
    signerRuns: () => signerRuns,
  });
}

function reviewOf(user: string, verb: string, resource: string) {
  const spec = { user, resourceAttributes: { verb, resource, version: "v1", namespace: "default" } };
  return { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec };
}

describe("IAM of the sandbox", () => {
  it.each([
    ["reconciler", "container.secrets.get", true],
    ["reconciler", "container.secrets.list", false],
    ["reconciler", READ_PAYLOAD, false],
    ["signer", READ_PAYLOAD, true],
    ["signer", "container.secrets.get", false],
    ["developer", "container.secrets.delete", true],
  ] as const)("lets the %s use %s: %s", (account, permission, allowed) => {
    expect(anIam().allows(accounts[account], permission)).toBe(allowed);
  });

  it("lets nobody else do anything", () => {
    expect(anIam().allows("stranger@shop.iam.gserviceaccount.com", "container.secrets.get")).toBe(false);
  });

  it("lets those that sign in their own process read the root, where no signer runs", () => {
    expect(anIam({ signerRuns: false }).allows(accounts.reconciler, READ_PAYLOAD)).toBe(true);
  });

  it("notes what each function asked for, by scenario, and not what the developer did", () => {
    const iam = anIam();
    iam.enter("first");
    iam.allows(accounts.signer, READ_PAYLOAD);
    iam.allows(accounts.signer, READ_PAYLOAD);
    iam.allows(accounts.developer, READ_PAYLOAD);
    iam.enter("second");
    iam.allows(accounts.signer, "container.secrets.get");
    expect(iam.asked).toEqual([
      { role: "signer", permission: READ_PAYLOAD, allowed: true, withheld: false, scenario: "first" },
      {
        role: "signer",
        permission: "container.secrets.get",
        allowed: false,
        withheld: false,
        scenario: "second",
      },
    ]);
  });

  it("withholds a permission until it is given back", () => {
    const iam = anIam();
    const restore = iam.withhold("signer", READ_PAYLOAD);
    expect(iam.allows(accounts.signer, READ_PAYLOAD)).toBe(false);
    expect(iam.allows(accounts.signer, "container.secrets.get")).toBe(false);
    expect(iam.asked.map(({ permission, withheld }) => [permission, withheld])).toEqual([
      [READ_PAYLOAD, true],
      ["container.secrets.get", false],
    ]);
    restore();
    expect(iam.allows(accounts.signer, READ_PAYLOAD)).toBe(true);
  });
});

describe("a SubjectAccessReview", () => {
  it.each([
    ["of what is granted is allowed", accounts.reconciler, "get", "secrets", { allowed: true }],
    [
      "of what is not granted is denied, with what is missing",
      accounts.reconciler,
      "patch",
      "secrets",
      { allowed: false, denied: true, reason: 'requires one of ["container.secrets.update"] permission(s).' },
    ],
    [
      "of who may not connect is denied",
      accounts.rotator,
      "get",
      "secrets",
      {
        allowed: false,
        denied: true,
        reason: 'requires one of ["container.clusters.connect"] permission(s).',
      },
    ],
    [
      "of what no permission is known for is denied",
      accounts.reconciler,
      "get",
      "unheard",
      { allowed: false, denied: true, reason: expect.stringContaining("unheard") },
    ],
    ["of anybody else is left to RBAC", "system:serviceaccount:a:b", "get", "secrets", { allowed: false }],
  ])("%s", (_, user, verb, resource, status) => {
    expect(reviewAccess(anIam(), reviewOf(user, verb, resource))).toMatchObject({ status });
  });

  it("about a path is left to RBAC", () => {
    const spec = { user: accounts.reconciler, nonResourceAttributes: { verb: "get", path: "/version" } };
    const body = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec };
    expect(reviewAccess(anIam(), body)).toMatchObject({ status: { allowed: false } });
  });
});
