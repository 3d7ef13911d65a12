import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "@jest/globals";
import { freePort, freeUdpPort } from "../../../../sandbox/os/free-port.ts";
import { ROOT } from "../../../../scripts/paths.ts";

/** Of 12000: if each took any that is free, two processes would have some ten in common. */
const DRAWN = 350;
const DRAW = `
  import { freePort } from ${JSON.stringify(join(ROOT, "sandbox/os/free-port.ts"))};
  const ports = [];
  for (let i = 0; i < ${DRAWN}; i += 1) ports.push(await freePort());
  console.log(JSON.stringify(ports));
  process.stdin.resume();
`;

it("no two sandboxes that run at the same time are given the same port", async () => {
  const drawn: number[] = [];
  const processes = [1, 2].map(() => {
    const drawing = promisify(execFile)(process.execPath, ["--input-type=module", "--eval", DRAW]);
    drawing.child.stdout?.once("data", (line) => drawn.push(...JSON.parse(String(line))));
    return drawing;
  });
  await Promise.all(
    processes.map(({ child }) => new Promise((resolve) => child.stdout?.once("data", resolve))),
  );
  for (const { child } of processes) child.stdin?.end();
  await Promise.all(processes);
  expect(drawn).toHaveLength(2 * DRAWN);
  expect(new Set(drawn).size).toBe(2 * DRAWN);
});

it("a port that a sandbox was given is taken on each address, so that another may listen on all of them", async () => {
  const port = await freePort();
  const other = createSocket("udp4");
  try {
    // The way in which another sandbox would claim it.
    other.bind({ port, address: "127.0.0.9", exclusive: true });
    await expect(once(other, "listening")).rejects.toMatchObject({ code: "EADDRINUSE" });
  } finally {
    other.close();
  }
});

it("a port for UDP is free for both kinds of listeners", async () => {
  const [port, another] = [await freeUdpPort(), await freeUdpPort()];
  expect(port).not.toBe(another);
  const [udp, tcp] = [createSocket("udp4"), createServer()];
  try {
    udp.bind({ port, address: "127.0.0.1" });
    tcp.listen(port, "127.0.0.1");
    await Promise.all([once(udp, "listening"), once(tcp, "listening")]);
    expect([udp.address(), tcp.address()]).toMatchObject([{ port }, { port }]);
  } finally {
    udp.close();
    tcp.close();
  }
});
