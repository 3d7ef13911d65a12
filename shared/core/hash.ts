/**
 * FNV-1a, 64 bit, as 16 hexadecimal digits. It tells names apart and spreads moments in time;
 * it is no cryptographic hash and guards nothing.
 */
export function fnv1a(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, "0");
}

/**
 * A share from 0 up to 1 that a name always has, and similar names have apart: FNV-1a alone leaves names that differ in their
 * last letters side by side, so its bits are mixed once more (the finalizer of MurmurHash3,
 * https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp).
 */
export function shareOf(name: string): number {
  let hash = BigInt(`0x${fnv1a(name)}`);
  hash = BigInt.asUintN(64, (hash ^ (hash >> 33n)) * 0xff51afd7ed558ccdn);
  hash = BigInt.asUintN(64, (hash ^ (hash >> 33n)) * 0xc4ceb9fe1a85ec53n);
  hash ^= hash >> 33n;
  return Number(hash >> 32n) / 2 ** 32;
}
