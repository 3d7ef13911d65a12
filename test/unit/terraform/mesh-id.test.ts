import { join } from "node:path";
import { expect, it } from "@jest/globals";
import { ROOT } from "../../../scripts/paths.ts";
import { blocks, readModule, textOf } from "../../../scripts/terraform/module.ts";
import { YAML_WORDS } from "../../../shared/core/yaml-words.ts";

it("refuses the mesh IDs that the functions refuse", async () => {
  const { variables } = await readModule(join(ROOT, "terraform"));
  const conditions = blocks(variables.get("mesh_id")?.body["validation"]).map(({ condition }) =>
    textOf(condition),
  );
  const refused = conditions.find((condition) => condition.startsWith("${!contains(")) ?? "";
  expect([...refused.matchAll(/"(?<word>\w+)"/g)].map(({ groups }) => groups?.["word"])).toEqual(YAML_WORDS);
});
