import { setTimeout as sleep } from "node:timers/promises";
import type { Host } from "../../cli/host.ts";
import { openSession } from "../../cli/session.ts";
import { watch } from "../../cli/watch.ts";
import { UnavailableError } from "../../shared/errors.ts";

/**
 * Watches something that has more lines than the terminal has rows, three times, on the real streams. Then
 * nothing can be seen any more.
 */
const ROUNDS = 3;
const LINES = 40;

const { promise: ended, resolve: end } = Promise.withResolvers<void>();
const unasked = () => {
  throw new Error("a mere watch asks for no such thing");
};
const host: Host = {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  operator: unasked,
  configFile: unasked,
  identityToken: unasked,
  stopped: () => ended,
  abandon: unasked,
  readFile: unasked,
  manifest: { buildsRelease: false, renderer: unasked, build: unasked },
  sleep: async () => await sleep(10),
  elapsedMs: () => performance.now(),
};
let round = 0;
process.exitCode = await watch(openSession(host, "text", false), (session) => {
  round += 1;
  if (round > ROUNDS) {
    if (round === ROUNDS + 3) end();
    throw new UnavailableError(`no answer ${round}`, { code: "Unavailable" });
  }
  const lines = Array.from({ length: LINES }, (_, line) => `round ${round}, line ${line}`);
  session.show({}, () => lines.join("\n"));
  return Promise.resolve();
});
