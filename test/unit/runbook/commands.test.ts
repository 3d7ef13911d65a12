import { describe, expect, it } from "@jest/globals";
import { filledIn, programsOf, readCommands } from "../../support/runbook/commands.ts";

const PAGE = `# A page

Begins with \`npm run -s begin\`, and \`status\` is no command.

## First

\`\`\`sh
gcloud logging read --limit=1 \\
  'a="b"
    AND c="d"' |
  jq '.[]'
kubectl --context <member> get pods
\`\`\`

Then \`npm run -s
meshjoin -- join CLUSTER\`, by \`npm\`.

\`\`\`hcl
firewall = {}
\`\`\`

\`\`\`sh
# Who's next
for ROLE in a \\
  b; do
  gcloud add "$ROLE"
done
\`\`\`
`;

const aCommand = (text: string) => ({ section: "", text });

describe("commands of a page", () => {
  it("are read section by section, from blocks and from the text", () => {
    expect(readCommands(PAGE)).toEqual([
      { section: "", text: "npm run -s begin" },
      {
        section: "First",
        text: `gcloud logging read --limit=1 \\\n  'a="b"\n    AND c="d"' |\n  jq '.[]'`,
      },
      { section: "First", text: "kubectl --context <member> get pods" },
      { section: "First", text: `for ROLE in a \\\n  b; do\n  gcloud add "$ROLE"\ndone` },
      { section: "First", text: "npm run -s meshjoin -- join CLUSTER" },
    ]);
  });

  it.each([
    ["```\nls\n```\n", "not marked as sh"],
    ["```sh\necho 'a\n```\n", "has no end"],
    ["```sh\nfor A in b; do\n  c\n```\n", "has no end"],
  ])("are refused where nobody could tell what they are: %j", (block, message) => {
    expect(() => readCommands(`\n${block}`)).toThrow(message);
  });

  it.each([
    ["gcloud logging read 'npm' --format=json | jq '.[]'", ["gcloud", "jq"]],
    [`eval "$(terraform output -json environment |\n  jq -r '.')"`, ["terraform", "jq"]],
    ["PROJECT=a REGION=b", []],
    ['for A in b; do\n  gcloud add "$A"\ndone', ["gcloud"]],
  ])("start programs: %s", (text, programs) => {
    expect(programsOf(aCommand(text))).toEqual(programs);
  });

  it("are filled in, but for what a shell fills in", () => {
    const command = aCommand(`kubectl --context <member> get CLUSTER --project="$CLUSTER" -l 'AND'`);
    expect(filledIn(command, { "<member>": "one", CLUSTER: "cn-a" })).toBe(
      `kubectl --context one get cn-a --project="$CLUSTER" -l 'AND'`,
    );
  });

  it.each(["get <member>", "get CLUSTER", "root import FILE", "--member=MEMBER"])(
    "are refused with a placeholder that has no value: %s",
    (text) => {
      expect(() => filledIn(aCommand(text), { OTHER: "a" })).toThrow("has no value");
    },
  );
});
