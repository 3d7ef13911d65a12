import { it } from "@jest/globals";
import { renderPage } from "../../../../functions/sync-mesh/page/page.ts";
import { aView, everything } from "../../../builders/page-view.ts";
import { aStatus } from "../../../builders/status.ts";
import { expectGolden } from "../../../golden.ts";

// oxlint-disable-next-line jest/expect-expect -- expectGolden throws
it.each([
  ["three-members", aView({ status: aStatus({ troubled: true }) })],
  ["everything", aView(everything())],
])("test/fixtures/page/%s.html is what the page looks like", (name, view) => {
  expectGolden(`test/fixtures/page/${name}.html`, renderPage(view).html);
});
