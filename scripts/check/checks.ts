/** One program whose exit code is a verdict on the whole tree. */
export interface Check {
  readonly name: string;
  readonly proves: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** What git leaves in a file that could not be merged; `=======` alone is also a heading. */
const CONFLICT_MARKER = "^(<{7}|>{7}|[|]{7})( |$)";

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
  {
    name: "merged",
    proves: "no conflict marker in a tracked file",
    command: "sh",
    args: ["-c", 'git grep -nE "$0"; test $? -eq 1', CONFLICT_MARKER],
  },
  {
    name: "terraform",
    proves: "terraform/ is what Terraform takes, in the house's form",
    command: "node",
    args: ["scripts/terraform/check.ts"],
  },
  { name: "knip", proves: "no dead file, export or dependency", command: "knip", args: ["--no-progress"] },
];
