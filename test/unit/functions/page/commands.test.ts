import { describe, expect, it } from "@jest/globals";
import { isCommand, spansOf } from "../../../../functions/sync-mesh/page/facts/commands.ts";

const commandsOf = (sentence: string): string[] =>
  spansOf(sentence).flatMap(({ kind, text }) => (kind === "command" ? text : []));

describe("the commands of a sentence", () => {
  it.each([
    ["nothing: Meshjoin renews it", []],
    ["mend the cluster; gcloud container clusters describe names the fault", []],
    [
      "kubectl -n istio-system rollout restart deployment/istiod",
      ["kubectl -n istio-system rollout restart deployment/istiod"],
    ],
    ["rotate the root: meshjoin root rotate", ["meshjoin root rotate"]],
    ["renew it: meshjoin sync; each full run looks again", ["meshjoin sync"]],
    ["confirm it, and Meshjoin upgrades: meshjoin upgrade, or POST /sync", ["meshjoin upgrade"]],
    [
      "set it: gcloud secrets update r --update-version-aliases=signing=2.",
      ["gcloud secrets update r --update-version-aliases=signing=2"],
    ],
    [
      'it is disabled; run "gcloud secrets versions enable 1 --secret=r" first',
      ["gcloud secrets versions enable 1 --secret=r"],
    ],
    ["see `meshjoin doctor` and `cacerts`", ["meshjoin doctor"]],
    [
      "see why: kubectl logs a; read again: kubectl apply -f b.yaml",
      ["kubectl logs a", "kubectl apply -f b.yaml"],
    ],
    [
      `ask: curl -H "authorization: bearer x" -d '{"scope":"mesh"}' https://a/sync`,
      [`curl -H "authorization: bearer x" -d '{"scope":"mesh"}' https://a/sync`],
    ],
  ])("%j are %j", (sentence, expected) => {
    expect(commandsOf(sentence)).toEqual(expected);
  });

  // A terminal runs the first of two pasted lines at once.
  it.each(["`", '"', ""])("have one line each, whoever wrote the sentence (quote %j)", (quote) => {
    for (const end of ["\n", "\r", "\r\n"]) {
      const commands = commandsOf(
        `it said: ${quote}kubectl get pods${end}curl https://a${end}${quote} again`,
      );
      expect(commands.join("")).not.toMatch(/[\n\r]/);
    }
  });

  it("leave the words around them as they are", () => {
    const sentence = "see why: kubectl logs a; read again: kubectl apply -f b; wait";
    expect(
      spansOf(sentence)
        .map(({ text }) => text)
        .join(""),
    ).toBe(sentence);
  });
});

it.each([
  ["meshjoin sync --yes", true],
  ["meshjoin", false],
  ["cacerts", false],
  ["see why: kubectl logs a", false],
])("%j is a command: %j", (text, expected) => {
  expect(isCommand(text)).toBe(expected);
});
