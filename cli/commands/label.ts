import { clusterId } from "../../shared/core/names.ts";
import { isGatewayLabel, MESH_GATEWAY_LABEL } from "../../shared/core/network/gateway.ts";
import { isNetworkLabel, MESH_NETWORK_LABEL, NETWORK_LABEL_FORM } from "../../shared/core/network/network.ts";
import { InputError } from "../../shared/errors.ts";
import { findCluster } from "../cluster.ts";
import { clusterArgument, command } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { setMeshLabel } from "../mesh-label.ts";
import { type Labelled, renderLabelled } from "../render/labelled.ts";
import type { Session } from "../session.ts";

/** `false`: the label goes. */
interface LabelOptions {
  readonly network?: string | false;
  readonly gateway?: string | false;
}

export const label = command<LabelOptions>({
  name: "label",
  description: "set the mesh label of a cluster, beside its others, and leave the rest to the functions",
  declare: (bare) =>
    bare
      .addArgument(clusterArgument())
      .option("--network <NAME>", `set label ${MESH_NETWORK_LABEL} instead: the network of its pods`)
      .option("--no-network", `take label ${MESH_NETWORK_LABEL} off instead: the network is that of its VPC`)
      .option("--gateway <EXPOSURE>", `set label ${MESH_GATEWAY_LABEL} instead: internal, external or none`)
      .option("--no-gateway", `take label ${MESH_GATEWAY_LABEL} off instead`),
  notes:
    "It needs permissions to read clusters and change their labels, and no built manifest. A cluster with the label\n" +
    "already stays as it is; it refuses one with another mesh's. gcloud's --update-labels replaces all labels instead.\n" +
    "A member that has joined changes its network only after meshjoin sync --confirm NetworkChanges.",
  examples: [
    "meshjoin label cn-shop-europe-west1-checkout",
    "meshjoin label projects/shop/locations/europe-west1/clusters/checkout",
    "meshjoin label checkout --network=dmz",
  ],
  run: async (session, options, cluster: string) => {
    const [change, second] = changesOf(options);
    if (change === undefined) return await labelOnly(session, cluster);
    if (second !== undefined) throw oneAtATime();
    return await setLabel(session, cluster, change);
  },
});

interface Change {
  readonly key: string;
  readonly value: string | undefined;
}

/** Fails with InputError on a value that Meshjoin does not take. */
function changesOf({ network, gateway }: LabelOptions): Change[] {
  return [
    ...changeOf("--network", MESH_NETWORK_LABEL, network, isNetworkLabel, NETWORK_LABEL_FORM),
    ...changeOf("--gateway", MESH_GATEWAY_LABEL, gateway, isGatewayLabel, "internal, external or none"),
  ];
}

function changeOf(
  field: string,
  key: string,
  value: string | false | undefined,
  isTaken: (text: string) => boolean,
  form: string,
): Change[] {
  if (value === undefined) return [];
  if (value === false) return [{ key, value: undefined }];
  if (isTaken(value)) return [{ key, value }];
  throw new InputError(`${field} is ${JSON.stringify(value)}`, {
    code: "InvalidInput",
    cure: `use ${form}`,
    field,
  });
}

function oneAtATime(): InputError {
  return new InputError("--network and --gateway are given together", {
    code: "InvalidInput",
    cure: "set one label after the other, as GKE does",
    field: "--gateway",
  });
}

async function setLabel(session: Session, name: string, change: Change): Promise<ExitCode> {
  const labelled = await session.withPorts(async ({ ports, spec, signal }): Promise<Labelled> => {
    const { ref } = await findCluster({ ports, spec, signal }, name);
    const changed = await ports.labels.set(ref, change, signal);
    const { key, value = null } = change;
    return { clusterId: clusterId(ref), label: { key, value }, outcome: changed ? "updated" : "unchanged" };
  });
  session.show(labelled, renderLabelled);
  return EXIT.done;
}

/** Sets the label alone: its event makes the functions take the cluster in. */
export async function labelOnly(session: Session, cluster: string): Promise<ExitCode> {
  const labelled = await session.withPorts(async (access): Promise<Labelled> => {
    const { id, label: set, changed } = await setMeshLabel(access, cluster);
    return { clusterId: id, label: set, outcome: changed ? "updated" : "unchanged" };
  });
  session.show(labelled, renderLabelled);
  return EXIT.done;
}
