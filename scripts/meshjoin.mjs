#!/usr/bin/env node
// `npx meshjoin` in this folder: the command line from its sources, as `npm run meshjoin --` runs it.
process.argv.splice(2, 0, "cli/main.ts");
await import("./bootstrap.mjs");
