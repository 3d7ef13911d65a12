import { Argument } from "commander";
import { command } from "../command.ts";
import { COMPLETE } from "../completion.ts";
import { EXIT } from "../exit-code.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `_meshjoin() {
  COMPREPLY=()
  local word
  while IFS= read -r word; do COMPREPLY+=("$word"); done \\
    < <(meshjoin ${COMPLETE} -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _meshjoin meshjoin`,
  zsh: `#compdef meshjoin
_meshjoin() {
  local -a found
  found=("\${(@f)$(meshjoin ${COMPLETE} -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found" ]]; then compadd -- $found; else _files; fi
}
compdef _meshjoin meshjoin`,
  fish: `complete -c meshjoin -f -a '(meshjoin ${COMPLETE} -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
complete -c meshjoin -n 'contains -- import (commandline -opc)' -F`,
};

/** Prints a script for a shell to read. */
export const completion = command({
  name: "completion",
  description: "print the script that lets a shell complete commands, options and their choices",
  declare: (bare) => bare.addArgument(new Argument("<SHELL>", "the shell").choices(SHELLS)),
  examples: [
    "source <(meshjoin completion bash)",
    "source <(meshjoin completion zsh)",
    "meshjoin completion fish | source",
  ],
  async run(session, _, shell: string) {
    const found = SHELLS.find((each) => each === shell) ?? "bash";
    session.show({ shell: found, script: SCRIPTS[found] }, ({ script }) => script);
    return await Promise.resolve(EXIT.done);
  },
});
