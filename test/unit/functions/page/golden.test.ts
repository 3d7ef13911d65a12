import { it } from "@jest/globals";
import { renderPage } from "../../../../functions/sync-mesh/page/page.ts";
import { aView, everything } from "../../../support/builders/page-view.ts";
import { aStatus } from "../../../support/builders/status.ts";
import { expectGolden } from "../../../support/golden.ts";

/** Without the entries of the reference, which have a table and a page of their own. */
function withoutMeanings(document: string): string {
  return document.replace(/<details class="keep" id="[^"]+-means">[^]*?<\/details>\n?/g, "");
}

// oxlint-disable-next-line jest/expect-expect -- expectGolden throws
it.each([
  ["three-members", aView({ status: aStatus({ troubled: true }) })],
  ["probed", aView({ status: aStatus({ networks: 2, gateways: true, probed: true, failing: true }) })],
  ["everything", aView(everything())],
])("test/support/fixtures/page/%s.html is what the page looks like", (name, view) => {
  expectGolden(`test/support/fixtures/page/${name}.html`, withoutMeanings(renderPage(view).html));
});
