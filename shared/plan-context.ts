import type { ReconcileRequest } from "./core/request.ts";
import { desiredControlPlane } from "./istio/control-plane.ts";
import { gatewaySettings, settingsHash } from "./istio/gateway.ts";
import { ingressSettings } from "./istio/ingress.ts";
import { probeSettingsHash } from "./istio/probe/mark.ts";
import { failoverSettings } from "./istio/traffic-defaults.ts";
import type { PlanContext } from "./plan/mesh.ts";
import type { Run } from "./run.ts";

/** The wanted state of the mesh for this run, now. */
export function planContext(
  { spec, template, ports }: Run,
  {
    scope,
    confirm = [],
    leaving = [],
    rotateBefore,
    drain,
  }: Pick<ReconcileRequest, "scope" | "confirm" | "leaving" | "rotateBefore" | "drain">,
): PlanContext {
  return {
    spec,
    confirm,
    leaving,
    rotateBefore,
    drain,
    only: scope === "mesh" ? undefined : scope.clusterId,
    now: ports.clock.now(),
    settingsOf: (gateway) => settingsHash(gatewaySettings(spec, gateway)),
    failoverSettings: failoverSettings(spec),
    ingressSettings: ingressSettings(spec),
    probeSettingsOf: (clusterId, targets) =>
      probeSettingsHash({ meshId: spec.meshId, clusterId, targets, istio: template.tag }),
    desired: (member) => desiredControlPlane(template, spec, member),
  };
}
