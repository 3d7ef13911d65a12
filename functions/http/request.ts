/** As the Functions Framework hands it over; only what is read. */
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

/** Empty where there is none. */
export function bodyOf({ rawBody }: HttpRequest): Buffer {
  return rawBody ?? Buffer.alloc(0);
}
