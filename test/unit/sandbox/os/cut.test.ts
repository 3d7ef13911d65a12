import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "@jest/globals";

const CUT = fileURLToPath(new URL("../../../../sandbox/os/cut.ts", import.meta.url));

/** A server that does `end` to a connection before it is cut; prints what the client sees of it. */
const program = (end: string) => `
  import { connect, createServer } from "node:net";
  import { cut } from ${JSON.stringify(CUT)};
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    ${end}
    cut(socket);
    server.close();
  });
  server.listen(0, "127.0.0.1", () => {
    const client = connect(server.address().port, "127.0.0.1");
    client.resume();
    client.on("error", ({ code }) => console.log(code));
    client.on("close", () => console.log("closed"));
  });`;

describe("a connection that is cut", () => {
  it.each([
    ["in the middle", "", "ECONNRESET\nclosed\n"],
    ["while it is being ended", 'socket.end("last words");', "closed\n"],
  ])("%s is gone, and the process can exit", async (_, end, seen) => {
    const args = [
      "--input-type=module-typescript",
      "--disable-warning=ExperimentalWarning",
      "-e",
      program(end),
    ];
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      timeout: 15_000,
      killSignal: "SIGKILL",
    });
    expect(stdout).toBe(seen);
  });
});
