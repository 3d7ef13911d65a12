/** What a reader holds of the one gateway of another network. */
export interface LastGateway {
  readonly network: string;
  /** IP addresses. */
  readonly addresses: readonly string[];
}

/**
 * The note of it on the reader's remote secret, by whose UID a copy of that, which owns no Gateway, is told
 * from it.
 */
export function formatLastGateway({ network, addresses }: LastGateway, uid: string): string {
  return `${network} ${addresses.join(",")} ${uid}`;
}
