import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { startSecretManager } from "../../sandbox/google/secret-manager/api.ts";
import { ROOT } from "../../scripts/paths.ts";
import { secretManagerKeeper } from "../../shared/adapters/root-keeper.ts";
import { secretManagerRoots } from "../../shared/adapters/root-store.ts";
import { makeRoot } from "../../shared/pki/make-root.ts";
import { shownBy } from "../support/terminal.ts";
import { PROJECT, startGoogle } from "./google.ts";

/**
 * Runs a command on a pseudo-terminal, answers its question, and prints what the terminal showed. With a
 * second argument the terminal has 12 rows and 80 columns, and has shown that before.
 */
const TERMINAL = `
import fcntl, os, pty, struct, sys, termios
answer, before, command = sys.argv[1], sys.argv[2], sys.argv[3:]
child, terminal = pty.fork()
if child == 0:
    if before:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 80, 0, 0))
        os.write(1, before.encode())
    os.execvp(command[0], command)
shown, answered = b"", False
while True:
    try:
        data = os.read(terminal, 4096)
    except OSError:
        break
    if not data:
        break
    shown += data
    if not answered and b"[y/N]" in shown:
        os.write(terminal, answer.encode() + (b"" if answer in ("\\x03", "\\x04") else b"\\n"))
        answered = True
_, status = os.waitpid(child, 0)
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(status))
`;

const hasTerminal = spawnSync("python3", ["-c", "import pty"]).status === 0;
const isWatched = (process.env["CI"] ?? "") === "";

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function start(program: string, args: readonly string[], env: Record<string, string>): Promise<Ended> {
  try {
    const options = { cwd: ROOT, env: { ...process.env, ...env } };
    const { stdout, stderr } = await promisify(execFile)(program, args, options);
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what execFile rejects with
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

describe("a command that asks", () => {
  let google: Awaited<ReturnType<typeof startGoogle>>;
  let api: Awaited<ReturnType<typeof startSecretManager>>;
  let directory: string;
  let mesh = 0;
  let env: Record<string, string>;

  beforeAll(async () => {
    google = await startGoogle();
    api = await startSecretManager({ ...google, allows: () => true, wouldAllow: () => true });
    directory = await mkdtemp(join(tmpdir(), "meshjoin-terminal-"));
    const { certificate, privateKey } = await makeRoot({ organization: "elsewhere", now: new Date() });
    await writeFile(join(directory, "root.pem"), certificate + privateKey);
  });
  beforeEach(() => {
    mesh += 1;
    env = {
      MESHJOIN_MESH_ID: `mesh-${mesh}`,
      MESHJOIN_PROJECTS: PROJECT.id,
      MESHJOIN_SECRETMANAGER_ENDPOINT: api.url,
      MESHJOIN_CONTAINER_ENDPOINT: "http://127.0.0.1:9",
    };
  });
  afterAll(async () => {
    await rm(directory, { recursive: true });
    await api.close();
    await google.close();
  });

  const command = (...more: string[]) => [
    process.execPath,
    "cli/main.ts",
    "root",
    "import",
    join(directory, "root.pem"),
    ...more,
  ];
  const onTerminal = async (answer: string) =>
    await start("python3", ["-c", TERMINAL, answer, "", ...command()], env);
  const signing = async () => {
    const place = { project: PROJECT.id, meshId: `mesh-${mesh}`, endpoint: api.url };
    await secretManagerKeeper(place).create();
    return (await secretManagerRoots(place).state()).versions.signing;
  };

  if (hasTerminal) {
    it("says on a terminal what will happen, waits for an answer, and takes only a yes for one", async () => {
      for (const answer of ["n", "", "\u0003", "\u0004"]) {
        const { code, out } = await onTerminal(answer);
        expect([code, out]).toEqual([1, expect.stringContaining("the first root of the mesh")]);
        expect(out).toContain("Continue? [y/N]");
        expect(out).not.toContain("error");
        expect(await signing()).toBeUndefined();
      }
      expect(await onTerminal("yes")).toMatchObject({
        code: 0,
        out: expect.stringContaining("version 1 signs"),
      });
      expect(await signing()).toBe(1);
    }, 60_000);
  } else {
    it("is not looked at on a terminal here, for want of python3 with its module pty", () => {
      expect(isWatched).toBe(true);
    });
  }

  it("does nothing without a terminal, names --yes, and does it with that", async () => {
    const [node = "", ...args] = command();
    const refused = await start(node, args, env);
    expect([refused.code, refused.out]).toEqual([1, ""]);
    expect(refused.err).toContain("the first root of the mesh");
    expect(refused.err).toContain("--yes");
    expect(await signing()).toBeUndefined();
    expect((await start(node, [...args, "--yes"], env)).code).toBe(0);
    expect(await signing()).toBe(1);
  }, 60_000);
});

if (hasTerminal) {
  it("a watch keeps what a terminal has shown before, and fits its rows, also with what goes wrong", async () => {
    const before = Array.from({ length: 30 }, (_, line) => `before ${line}`);
    const watching = [process.execPath, "test/contract/watching.ts"];
    const args = ["-c", TERMINAL, "", `${before.join("\n")}\n`, ...watching];
    const { code, out } = await start("python3", args, {});
    expect(code).toBe(0);
    const { away, screen } = shownBy(out.replaceAll("\r", ""), { rows: 12, columns: 80 });
    expect(away).toEqual(before);
    expect(screen.slice(0, 2)).toEqual(["round 3, line 0", "round 3, line 1"]);
    expect(screen).toHaveLength(12);
    expect(screen.slice(-4)).toEqual([
      expect.stringMatching(/^… \d+ more lines: meshjoin status$/),
      expect.stringContaining("no answer 6"),
      "cure: try again",
      "",
    ]);
  }, 60_000);
}
