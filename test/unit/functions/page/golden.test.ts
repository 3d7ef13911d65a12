import { it } from "@jest/globals";
import { renderPage } from "../../../../functions/sync-mesh/page/page.ts";
import { aView, everything } from "../../../support/builders/page-view.ts";
import { aStatus } from "../../../support/builders/status.ts";
import { expectGolden } from "../../../support/golden.ts";

// oxlint-disable-next-line jest/expect-expect -- expectGolden throws
it.each([
  ["three-members", aView({ status: aStatus({ troubled: true }) })],
  ["everything", aView(everything())],
])("test/support/fixtures/page/%s.html is what the page looks like", (name, view) => {
  expectGolden(`test/support/fixtures/page/${name}.html`, renderPage(view).html);
});
