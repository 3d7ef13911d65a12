/** One PEM block. `text` is a view into the buffer that was read: wiping that buffer wipes it. */
export interface PemBlock {
  readonly label: string;
  readonly text: Buffer;
}

const BEGIN = "-----BEGIN ";
const DASHES = "-----";
const LINE = 64;

/**
 * The blocks of a PEM file. Ignores the text between them, as openssl does. Fails if a block has no end.
 * Never makes a string of a block's body, because a string cannot be wiped.
 */
export function findPemBlocks(pem: Buffer): PemBlock[] {
  const blocks: PemBlock[] = [];
  let start = pem.indexOf(BEGIN);
  while (start !== -1) {
    const labelEnd = pem.indexOf(DASHES, start + BEGIN.length);
    const label = labelEnd === -1 ? "" : pem.toString("latin1", start + BEGIN.length, labelEnd);
    const footer = `-----END ${label}-----`;
    const end = pem.indexOf(footer, start);
    if (!/^[A-Z0-9 ]{1,40}$/.test(label) || end === -1) throw new Error("a PEM block has no end");
    blocks.push({ label, text: pem.subarray(start, end + footer.length) });
    start = pem.indexOf(BEGIN, end + footer.length);
  }
  return blocks;
}

/** For public blocks. A key goes to node:crypto as PEM. */
export function derOfBlock(block: PemBlock): Buffer {
  const body = block.text.toString("latin1").replace(/-----[^-]+-----/g, "");
  if (!/^[A-Za-z0-9+/=\s]+$/.test(body)) throw new Error(`the ${block.label} block is not base64`);
  return Buffer.from(body, "base64");
}

/** RFC 7468, with one newline at the end. */
export function pemOfDer(label: string, der: Buffer): string {
  const base64 = der.toString("base64");
  const lines = Array.from({ length: Math.ceil(base64.length / LINE) }, (_, line) =>
    base64.slice(line * LINE, (line + 1) * LINE),
  );
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}
