import { readdir, readFile } from "node:fs/promises";

export interface LeftProcess {
  readonly pid: number;
  readonly command: string;
}

const SHOWN = 160;

/**
 * The processes of this machine, this one apart, that have one of the marks in their environment or in their
 * arguments; of other users' processes only the arguments can be read. Fails where there is no `/proc`: there
 * it cannot be told.
 */
export async function processesWith(marks: readonly string[]): Promise<LeftProcess[]> {
  await readFile("/proc/self/environ").catch((cause: unknown) => {
    throw new Error("cannot look for left processes: run this on Linux", { cause });
  });
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      // One that ends meanwhile is not left.
      const read = async (name: string) => await readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "");
      const [environment, words] = await Promise.all([read("environ"), read("cmdline")]);
      const isMarked = marks.some((mark) => environment.includes(mark) || words.includes(mark));
      const command = words.replaceAll("\0", " ").trim().slice(0, SHOWN);
      return isMarked ? [{ pid: Number(pid), command }] : [];
    }),
  );
  return found.flat();
}
