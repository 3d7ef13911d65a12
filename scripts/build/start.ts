import { join } from "node:path";
import { DIST, ROOT } from "../paths.ts";
import { run } from "../run.ts";
import { buildFunctions } from "./build.ts";

/**
 * Serves the built functions with the Functions Framework: `npm start -- --target=on-cluster-event
 * --port=8080`.
 */
await buildFunctions({ progress: (line) => console.error(line) });
const framework = join(ROOT, "node_modules", ".bin", "functions-framework");
const { code } = await run(framework, [`--source=${DIST}`, ...process.argv.slice(2)], { inherit: true });
process.exitCode = code;
