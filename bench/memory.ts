import { readFile, writeFile } from "node:fs/promises";

/**
 * The peak of a process's resident memory;
 * https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html
 * https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
 */
const RESET_PEAK = "5";

/** Starts the peak anew; without it the peak is that of the whole life. */
export async function resetPeakMemory(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, RESET_PEAK);
}

/** In bytes. */
export async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kibibytes === undefined) throw new Error(`process ${pid} has no VmHWM; is this Linux?`);
  return Number(kibibytes) * 1024;
}
