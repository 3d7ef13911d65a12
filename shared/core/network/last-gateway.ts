/** What a reader holds of the one gateway of another network. */
export interface LastGateway {
  readonly network: string;
  /** IP addresses. */
  readonly addresses: readonly string[];
}

/** The note of it on the reader's remote secret. */
export function formatLastGateway({ network, addresses }: LastGateway): string {
  return `${network} ${addresses.join(",")}`;
}
