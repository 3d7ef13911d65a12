import type { MeshSpec } from "../../../shared/core/spec.ts";

const DAY = 86_400;

/** The defaults of the configuration, for mesh `prod` in project `shop`. */
export function aSpec(seed: Partial<MeshSpec> = {}): MeshSpec {
  return {
    meshId: "prod",
    projects: ["shop"],
    rootProject: "shop",
    meshLabel: "mesh_id",
    allow: [],
    keyAlgorithm: "ec-p256",
    intermediateTtl: 90 * DAY,
    workloadTtl: DAY,
    clockSkew: 300,
    tokenTtl: 7 * DAY,
    massLeaveShare: 0.5,
    drainShare: 0.5,
    leaveGrace: 3600,
    rotationShare: 0.2,
    gateways: "auto",
    gatewayExposure: "internal",
    gatewaySourceRanges: [],
    gatewaySettle: 60,
    connectedNetworks: [],
    probe: "off",
    failover: "on",
    ingress: "off",
    dnsCapture: "off",
    accessFunction: "auto",
    accessPeers: "auto",
    ...seed,
  };
}
