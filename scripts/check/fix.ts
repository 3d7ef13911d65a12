import { run } from "../run.ts";

/** Repairs what the linter and the formatter can repair by themselves; what they cannot, they say. */
const linted = await run("oxlint", ["--type-aware", "--fix"], { inherit: true });
const formatted = await run("biome", ["check", "--write"], { inherit: true });
process.exitCode = Math.max(linted.code, formatted.code);
