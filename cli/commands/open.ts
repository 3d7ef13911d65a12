import { InputError } from "../../shared/errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { functionUrl } from "../function-url.ts";
import { startPageProxy } from "../page-proxy.ts";
import type { Session } from "../session.ts";

/** Serves the page of the deployed function until it is stopped. */
export async function open(
  session: Session,
  { url, port }: { readonly url: string; readonly port: string },
): Promise<ExitCode> {
  const target = functionUrl(url);
  const { host } = session;
  const token = () => host.identityToken(target.origin);
  const proxy = await startPageProxy({ target, token, port: portOf(port) });
  try {
    await token();
    session.show({ url: proxy.url }, (shown) => `The page is at ${shown.url} until Ctrl-C.`);
    await host.stopped();
  } finally {
    await proxy.close();
  }
  return EXIT.done;
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InputError(`--port is ${text}, which is no port`, {
    code: "InvalidInput",
    cure: "give a number up to 65535, or 0 for any that is free",
    field: "--port",
  });
}
