/** FNV-1a, 64 bit, as 16 hexadecimal digits. To tell names apart; it is no cryptographic hash. */
export function fnv1a(text: string): string {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (const byte of new TextEncoder().encode(text)) {
    const mixed = (low ^ byte) >>> 0;
    // Times 2^40 + 0x1b3, in parts: every product stays below 2^31, where integers are fast.
    const lower = (mixed & 0xffff) * 0x1b3;
    const upper = (mixed >>> 16) * 0x1b3 + (lower >>> 16);
    high = (Math.imul(high, 0x1b3) + (mixed << 8) + (upper >>> 16)) | 0;
    low = (upper << 16) | (lower & 0xffff);
  }
  return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}

/**
 * A number from 0 up to 1, always the same for a name. FNV-1a alone gives similar numbers to names that
 * differ in their last letters, so the finalizer of MurmurHash3 mixes its bits once more (
 * https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp).
 */
export function shareOf(name: string): number {
  let hash = BigInt(`0x${fnv1a(name)}`);
  hash = BigInt.asUintN(64, (hash ^ (hash >> 33n)) * 0xff51afd7ed558ccdn);
  hash = BigInt.asUintN(64, (hash ^ (hash >> 33n)) * 0xc4ceb9fe1a85ec53n);
  hash ^= hash >> 33n;
  return Number(hash >> 32n) / 2 ** 32;
}
