import { InputError } from "../../shared/errors.ts";
import { command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { functionUrl } from "../function-url.ts";
import { startPageProxy } from "../page-proxy.ts";

interface OpenOptions {
  readonly url: string;
  readonly port: string;
}

/** Serves the page of the deployed function until Ctrl-C. */
export const open = command<OpenOptions>({
  name: "open",
  description: "serve the page of the mesh on this machine, as a service account, until Ctrl-C",
  declare: (bare) =>
    bare
      .requiredOption("--url <URL>", "address of the function sync-mesh")
      .option("--port <PORT>", "port on this machine; 0 takes any free one", "8080"),
  notes:
    "Your credentials need run.invoker on the function, and must be a service account's, for example impersonated:\n" +
    "  gcloud auth application-default login --impersonate-service-account=ACCOUNT",
  examples: ["meshjoin open --url https://sync-mesh-1234567890.europe-west1.run.app"],
  async run(session, { url, port }) {
    const target = functionUrl(url);
    const { host } = session;
    const token = () => host.identityToken(target.origin);
    const proxy = await startPageProxy({ target, token, port: portOf(port) });
    try {
      await token();
      session.show({ url: proxy.url }, (page) => `The page is at ${page.url} until Ctrl-C.`);
      await host.stopped();
    } finally {
      await proxy.close();
    }
    return EXIT.done;
  },
});

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InputError(`--port is ${text}, which is no port`, {
    code: "InvalidInput",
    cure: "give a number up to 65535, or 0 for any free port",
    field: "--port",
  });
}
