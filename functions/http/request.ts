/** The parts of the Functions Framework's request that Meshjoin reads. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly rawBody?: Buffer;
}

export function header({ headers }: HttpRequest, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : value?.[0];
}

/** Empty if there is none. */
export function bodyOf({ rawBody }: HttpRequest): Buffer {
  return rawBody ?? Buffer.alloc(0);
}
