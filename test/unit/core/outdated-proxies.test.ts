import { describe, expect, it } from "@jest/globals";
import {
  outdatedAmong,
  type ProxyVersion,
  proxiesOutdated,
} from "../../../shared/core/member/outdated-proxies.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMember, NOW } from "../../support/builders/member.ts";

const proxy = (pod: string, version: string, openMinutes?: number): ProxyVersion => ({
  namespace: "shop",
  pod,
  version,
  rootsOpenSince: openMinutes === undefined ? undefined : new Date(NOW.getTime() - openMinutes * 60_000),
});

const names = (proxies: readonly ProxyVersion[]) => proxies.map(({ pod }) => pod);

describe("proxies that are behind", () => {
  it.each<readonly [string, ProxyVersion, string, string[], string[]]>([
    ["of the release of istiod", proxy("a", "1.31.4"), "1.31.4", [], []],
    ["of an earlier one", proxy("a", "1.30.2"), "1.31.4", ["a"], []],
    ["of a later one, after a way back", proxy("a", "1.32.0"), "1.31.4", ["a"], []],
    ["of another variant of the image", proxy("a", "1.31.4"), "1.31.4-distroless", [], []],
    ["that tell no release", proxy("a", ""), "1.31.4", [], []],
    ["that were built without one", proxy("a", "unknown"), "1.31.4", [], []],
    ["of an istiod that tells none", proxy("a", "1.30.2"), "", [], []],
    ["of an istiod whose tag is no release", proxy("a", "1.30.2"), "latest", [], []],
    ["that have just been sent the roots", proxy("a", "1.31.4", 4), "1.31.4", [], []],
    ["that have not taken the roots", proxy("a", "1.31.4", 6), "1.31.4", [], ["a"]],
    ["that tell no release, and have not", proxy("a", "unknown", 6), "1.31.4", [], ["a"]],
    ["of an earlier one, and have not", proxy("a", "1.30.2", 6), "1.31.4", ["a"], []],
  ])("are told: those %s", (_, one, version, outdated, withoutRoots) => {
    const behind = outdatedAmong([one], version, NOW);
    expect([names(behind.outdated), names(behind.withoutRoots)]).toEqual([outdated, withoutRoots]);
  });

  it("are counted by release, with commands for the workloads that were looked for, and how to see the rest", () => {
    const member = aMember(aCluster({ name: "m1" }));
    const proxies = ["1.30.2", "1.30.2", "1.29.0", "1.28.0", "1.27.0"].map((version, index) =>
      proxy(`web-${index}`, version),
    );
    const behind = outdatedAmong([...proxies, proxy("api-0", "1.31.4", 60)], "1.31.4", NOW);
    const workloads = [
      { namespace: "shop", workload: "deployment/web", pods: 3 },
      { namespace: "shop", workload: "statefulset/api", pods: 1 },
      { namespace: "jobs", workload: "job/once", pods: 1 },
    ];
    const found = proxiesOutdated(member, "1.31.4", behind, workloads);
    const id = member.clusterId;
    expect(found).toMatchObject({ severity: "warning", clusterId: id });
    expect(found?.message).toBe(
      `5 proxies of ${id} still run Istio 1.27.0, 1.28.0, 1.29.0, and 1 more, and istiod 1.31.4; ` +
        `1 proxy of ${id} has not taken the mesh's roots that istiod sent`,
    );
    expect(found?.cure).toMatch(
      /^restart them: kubectl --context \S+ -n shop rollout restart deployment\/web statefulset\/api; make anew, or wait for the end of, jobs\/job\/once; 1 more is shown by: istioctl proxy-status$/,
    );
    const none = { outdated: [], withoutRoots: [] };
    expect(proxiesOutdated(member, "1.31.4", none, [])).toBeUndefined();
  });

  it("quote no more of what a proxy says of itself than a release needs", () => {
    const member = aMember(aCluster({ name: "m1" }));
    const behind = outdatedAmong([proxy("a", "9".repeat(100_000))], "1.31.4", NOW);
    const found = proxiesOutdated(member, "1.31.4", behind, []);
    expect(found?.message).toBe(
      `1 proxy of ${member.clusterId} still runs Istio ${"9".repeat(40)}…, and istiod 1.31.4`,
    );
  });
});
