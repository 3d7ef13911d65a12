/** IPv4 addresses as numbers: `[first, last]`, both included. */
export interface AddressRange {
  readonly first: number;
  readonly last: number;
}

const CIDR = /^(?<address>\d{1,3}(?:\.\d{1,3}){3})(?:\/(?<bits>\d{1,2}))?$/;
const ADDRESS_BITS = 32;
const BYTE = 256;

/** `10.4.0.0/14`, or a single address; undefined where it is no IPv4 range. */
export function parseRange(cidr: string): AddressRange | undefined {
  const groups = CIDR.exec(cidr)?.groups;
  const bytes = (groups?.["address"] ?? "").split(".").map(Number);
  const bits = Number(groups?.["bits"] ?? ADDRESS_BITS);
  if (groups === undefined || bits > ADDRESS_BITS || bytes.some((byte) => byte >= BYTE)) return undefined;
  const address = bytes.reduce((sum, byte) => sum * BYTE + byte, 0);
  const size = 2 ** (ADDRESS_BITS - bits);
  const first = address - (address % size);
  return { first, last: first + size - 1 };
}

export function overlap(a: readonly AddressRange[], b: readonly AddressRange[]): boolean {
  return a.some((one) => b.some((other) => one.first <= other.last && other.first <= one.last));
}

/** The parts of `ranges` that no range of `excluded` covers. */
export function subtract(
  ranges: readonly AddressRange[],
  excluded: readonly AddressRange[],
): readonly AddressRange[] {
  return excluded.reduce<readonly AddressRange[]>(
    (remaining, { first, last }) =>
      remaining.flatMap((range) => {
        if (last < range.first || first > range.last) return [range];
        return [
          ...(range.first < first ? [{ first: range.first, last: first - 1 }] : []),
          ...(range.last > last ? [{ first: last + 1, last: range.last }] : []),
        ];
      }),
    ranges,
  );
}
