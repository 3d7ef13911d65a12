import { join } from "node:path";
import { ROOT } from "../paths.ts";
import { writeIfChanged } from "../write-file.ts";
import { PAGES } from "./pages.ts";

for (const [path, render] of Object.entries(PAGES)) {
  const changed = await writeIfChanged(join(ROOT, path), render());
  console.log(`${path} ${changed ? "written" : "is up to date"}`);
}
