/** One program whose exit code is a verdict on the whole tree. */
export interface Check {
  readonly name: string;
  readonly proves: string;
  readonly command: string;
  readonly args: readonly string[];
}

export const CHECKS: readonly Check[] = [
  {
    name: "oxlint",
    proves: "no fault that a linter with types can see",
    command: "oxlint",
    args: ["--type-aware", "--deny-warnings"],
  },
  {
    name: "biome",
    proves: "formatted, imports in order",
    command: "biome",
    args: ["check", "--error-on-warnings"],
  },
  { name: "tsc", proves: "types agree", command: "tsc", args: ["-p", "."] },
  { name: "knip", proves: "no dead file, export or dependency", command: "knip", args: ["--no-progress"] },
];
