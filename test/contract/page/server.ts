import type { IncomingMessage, ServerResponse } from "node:http";
import { type Page, renderPage } from "../../../functions/sync-mesh/page/page.ts";
import type { PageView } from "../../../functions/sync-mesh/page/view.ts";
import { listen, readBody } from "../../../sandbox/google/http/server.ts";
import { aView } from "../../support/builders/page-view.ts";

export interface PageServer {
  readonly url: string;
  /** What was asked for since the last `show`, as `GET /`. */
  readonly requests: readonly string[];
  /** The fields of every form that was sent since then. */
  readonly forms: readonly Readonly<Record<string, string>>[];
  /** From now on `/` is this page; `change` makes one that is wrong on purpose. */
  show(view: PageView, change?: (html: string) => string): void;
  close(): Promise<void>;
}

/** Serves one page on loopback, with the headers that it asks for, and takes what its forms send. */
export async function startPageServer(): Promise<PageServer> {
  let page = renderPage(aView());
  const requests: string[] = [];
  const forms: Record<string, string>[] = [];
  const server = await listen(async (request, response) => {
    const line = `${request.method} ${request.url}`;
    requests.push(line);
    if (line === "POST /actions") {
      forms.push(await fieldsOf(request));
      response.writeHead(303, { location: "/" }).end();
    } else if (/^GET \/(?:\?.*)?$/.test(line)) {
      answer(page, response);
    } else {
      response.writeHead(404).end();
    }
  });
  return {
    url: `${server.url}/`,
    requests,
    forms,
    show(view, change = (html) => html) {
      const rendered = renderPage(view);
      page = { ...rendered, html: change(rendered.html) };
      requests.length = 0;
      forms.length = 0;
    },
    close: () => server.close(),
  };
}

function answer({ html, contentSecurityPolicy, refresh }: Page, response: ServerResponse): void {
  response.writeHead(200, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": contentSecurityPolicy,
    "cache-control": "no-store",
    ...(refresh === undefined ? {} : { refresh }),
  });
  response.end(html);
}

async function fieldsOf(request: IncomingMessage): Promise<Record<string, string>> {
  const body = await readBody(request);
  return Object.fromEntries(new URLSearchParams(body.toString()));
}
