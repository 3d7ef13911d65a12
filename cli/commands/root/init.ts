import { Option } from "commander";
import { makeFirstRoot } from "../../../shared/rotate/first-root.ts";
import { generatedRoot, ROOT_ALGORITHMS, type RootAlgorithm } from "../../../shared/rotate/root-payload.ts";
import { command } from "../../command.ts";
import { showMoved } from "./moved.ts";

export const init = command<{ readonly algorithm: RootAlgorithm }>({
  name: "init",
  description: "make the secret and the first root of the mesh, valid for ten years",
  declare: (bare) =>
    bare.addOption(
      new Option("--algorithm <ALGORITHM>", "algorithm of its key")
        .choices(ROOT_ALGORITHMS)
        .default("ec-p384"),
    ),
  async run(session, { algorithm }) {
    return await session.withPorts(async (access) => {
      const make = () => generatedRoot(access.spec, access.ports.clock.now(), algorithm);
      return showMoved(session, await makeFirstRoot(access, make));
    });
  },
});
