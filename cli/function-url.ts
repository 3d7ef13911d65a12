import { InputError } from "../shared/errors.ts";

/** The URL of `sync-mesh`. An identity token may travel over TLS or loopback only. Fails with InputError. */
export function functionUrl(text: string): URL {
  const url = URL.parse(text);
  const isSafe =
    url?.protocol === "https:" ||
    (url?.protocol === "http:" && ["127.0.0.1", "localhost"].includes(url.hostname));
  if (url !== null && isSafe) return url;
  throw new InputError(`--url is ${text}, which is no https:// address`, {
    code: "InvalidInput",
    cure: "give the https:// address of the function sync-mesh",
    field: "--url",
  });
}
