import { group } from "../../command.ts";
import { advance } from "./advance.ts";
import { foreseeAbort, foreseeRotation } from "./foresee.ts";
import { importRoot } from "./import.ts";
import { init } from "./init.ts";
import { graveMoving, moving } from "./moved.ts";
import { status } from "./status.ts";

/** The root CAs of the mesh. */
export const root = group({
  name: "root",
  description: "make, bring and rotate the root CA of the mesh",
  notes:
    "A rotation has three stages: distribute (every member trusts the next root), switch (it signs), retire (the one\n" +
    "before leaves). Ticks of the function on-rotation-request move it on when a stage is over: every member has loaded\n" +
    "it, and every certificate of the stage before has expired. No command makes that shorter.",
  examples: [
    "meshjoin root init",
    "meshjoin root rotate",
    "meshjoin root status --output json | jq '.waitingFor'",
  ],
  commands: [
    status,
    init,
    importRoot,
    advance,
    graveMoving("rotate", "start", {
      description: "make the next root and begin a rotation to it",
      foresee: (session) => foreseeRotation(session, "a new root"),
    }),
    moving("pause", "pause", "keep ticks from moving the rotation on"),
    moving("resume", "resume", "let ticks move the rotation on again"),
    graveMoving("abort", "abort", {
      description: "take the rotation back the same way, as long as the old root has not left",
      foresee: foreseeAbort,
    }),
  ],
});
