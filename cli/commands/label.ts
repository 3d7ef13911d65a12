import { clusterArgument, command } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { setMeshLabel } from "../mesh-label.ts";
import { type Labelled, renderLabelled } from "../render/labelled.ts";
import type { Session } from "../session.ts";

export const label = command({
  name: "label",
  description: "set the mesh label of a cluster, beside its others, and leave the rest to the functions",
  declare: (bare) => bare.addArgument(clusterArgument()),
  notes:
    "It needs permissions to read clusters and change their labels, and no built manifest. A cluster with the label\n" +
    "already stays as it is; it refuses one with another mesh's. gcloud's --update-labels replaces all labels instead.",
  examples: [
    "meshjoin label cn-shop-europe-west1-checkout",
    "meshjoin label projects/shop/locations/europe-west1/clusters/checkout",
  ],
  run: async (session, _, cluster: string) => await labelOnly(session, cluster),
});

/** Sets the label alone: its event makes the functions take the cluster in. */
export async function labelOnly(session: Session, cluster: string): Promise<ExitCode> {
  const labelled = await session.withPorts(async (access): Promise<Labelled> => {
    const { id, label: set, changed } = await setMeshLabel(access, cluster);
    return { clusterId: id, label: set, outcome: changed ? "updated" : "unchanged" };
  });
  session.show(labelled, renderLabelled);
  return EXIT.done;
}
