import { readFile } from "node:fs/promises";

/** Linux counts in hundredths of a second; https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
const TICK_MS = 10;

/** The CPU time of a process so far, in user and kernel mode, in milliseconds. */
export async function cpuTime(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // The second field is the program's name in brackets, which may hold spaces.
  const [utime, stime] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13)
    .map(Number);
  if (utime === undefined || stime === undefined)
    throw new Error(`process ${pid} has no times; is this Linux?`);
  return (utime + stime) * TICK_MS;
}
