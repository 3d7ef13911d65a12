import type { RenderedKind } from "../../../shared/istio/needed-permissions.ts";
import type { KubernetesObject } from "../../../shared/ports/kubernetes-object.ts";

export const INVENTORY_FILE = "shared/istio/inventory.json";
/** `npm run build` with it writes the inventory anew. */
export const UPDATE_FLAG = "update-inventory";

const nameOf = ({ apiVersion, kind }: RenderedKind) => `${apiVersion} ${kind}`;

/** Each kind once, by name. Of kinds alone: objects come and go without another permission. */
export function kindsOf(objects: readonly KubernetesObject[]): RenderedKind[] {
  const kinds = new Map(
    objects.map(({ apiVersion, kind }) => [nameOf({ apiVersion, kind }), { apiVersion, kind }]),
  );
  return [...kinds].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}

export function inventoryText(kinds: readonly RenderedKind[]): string {
  const lines = kinds.map(({ apiVersion, kind }) => `  { "apiVersion": "${apiVersion}", "kind": "${kind}" }`);
  return `[\n${lines.join(",\n")}\n]\n`;
}

/**
 * Fails on a rendering with other kinds than the inventory, which permissions are derived from; says what to
 * do.
 */
export function assertInventory(rendered: readonly RenderedKind[], inventory: readonly RenderedKind[]): void {
  const is = new Set(rendered.map(nameOf));
  const noted = new Set(inventory.map(nameOf));
  const lines = [
    ...[...is.difference(noted)].map((each) => `  ${each} is rendered and not in it`),
    ...[...noted.difference(is)].map((each) => `  ${each} is in it and not rendered`),
  ];
  if (lines.length === 0) return;
  throw new Error(
    [
      `what Istio's charts render is not what ${INVENTORY_FILE} says:`,
      ...lines,
      `The permissions of the functions follow from it. Run the same build with --${UPDATE_FLAG}, then`,
      "`npm run test:unit -- permissions`, which names each permission that terraform/modules/identity lacks or does not need.",
    ].join("\n"),
  );
}
