const QUANTITY =
  /^(?<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:(?<unit>[KMGTPE]i|[numkMGTPE])|[eE](?<exponent>[+-]?\d+))?$/;
const UNITS = ["", "k", "M", "G", "T", "P", "E"];
const SMALL: Readonly<Record<string, number>> = { n: 1e-9, u: 1e-6, m: 1e-3 };

/**
 * A quantity of Kubernetes, `500m`, `2Gi` or `1e3`, in whole units; undefined for any other text.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export function parseQuantity(text: string): number | undefined {
  const groups = QUANTITY.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const number = Number(groups["number"]);
  const { unit = "", exponent = "0" } = groups;
  const small = SMALL[unit];
  if (small !== undefined) return number * small;
  const base = unit.endsWith("i") ? 1024 : 1000;
  return number * base ** UNITS.indexOf(unit.replace("i", "").replace("K", "k")) * 10 ** Number(exponent);
}
