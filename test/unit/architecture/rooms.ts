import type { ModuleFacts } from "./module-facts.ts";

/**
 * The rooms of the code that is not deployed, from the inside out. A file imports from its own room and from
 * those before it.
 */
const ROOMS: readonly (readonly string[])[] = [
  ["package.json", "shared/"],
  ["sandbox/os/"],
  ["sandbox/binaries/"],
  ["sandbox/cluster/"],
  ["sandbox/google/"],
  ["sandbox/fleet/"],
  ["sandbox/traffic/"],
  ["sandbox/demo/", "sandbox/main.ts", "sandbox/usage.ts"],
  ["cli/", "functions/"],
  ["scripts/paths.ts", "scripts/run.ts", "scripts/unattended.ts", "scripts/write-file.ts"],
  // A table of rules: the layers that a page shows.
  ["test/unit/architecture/rules.ts"],
  ["scripts/build/"],
  ["scripts/check/"],
  ["scripts/terraform/"],
  ["scripts/docs/"],
  ["scripts/release/"],
  ["test/"],
  ["bench/"],
];

function roomOf(path: string): number {
  return ROOMS.findIndex((prefixes) => prefixes.some((prefix) => path.startsWith(prefix)));
}

/** Every import that leads outwards, and every file without a room, as a sentence. */
export function strays(modules: readonly ModuleFacts[]): string[] {
  return modules.flatMap(({ path, imports }) => {
    const room = roomOf(path);
    if (room === -1) return [`${path}: is in no room: give it one`];
    return imports
      .filter((specifier) => roomOf(specifier) > room)
      .map((specifier) => `${path}: ${specifier} is further out`);
  });
}
