import { collectStatus } from "../../shared/status.ts";
import { command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { renderStatus } from "../render/status.ts";

export const status = command({
  name: "status",
  description: "show the state of every member and every connection; writes nothing",
  examples: ["meshjoin status", "meshjoin status --output json | jq '.pairs'"],
  async run(session) {
    session.show(await session.withRun((run) => collectStatus(run)), renderStatus);
    return EXIT.done;
  },
});
