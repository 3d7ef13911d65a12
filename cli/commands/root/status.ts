import { viewRoots } from "../../../shared/rotate/root-view.ts";
import { command } from "../../command.ts";
import { EXIT } from "../../exit-code.ts";
import { renderRootView } from "../../render/root-view.ts";

export const status = command({
  name: "status",
  description: "show the versions of the root secret, the stage of a rotation and what it waits for",
  async run(session) {
    session.show(await session.withRun(viewRoots), renderRootView);
    return EXIT.done;
  },
});
