import { expect, it } from "@jest/globals";
import { NOT_RUN, notRunIn } from "../../../../scripts/check/not-run.ts";
import { renderTable } from "../../../../shared/table.ts";

it("what a check did not look at is told from what it printed", () => {
  const printed = renderTable(
    ["check of terraform/", ""],
    [
      ["terraform fmt", `${NOT_RUN} there is no terraform on PATH`],
      ["house rules", "ok"],
    ],
  );
  expect(notRunIn(printed)).toEqual(["terraform fmt not run here, because there is no terraform on PATH"]);
  expect(notRunIn("all is well\n")).toEqual([]);
});
