import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { measureSimulated, type Simulated } from "./measure.ts";

export interface SimulateOptions {
  /** The greatest size. */
  readonly members: number;
  /** What `npm run build` made. */
  readonly bundle: string;
  readonly progress: (line: string) => void;
  /** A directory for CPU profiles. */
  readonly profiles?: string;
}

const SIZES = [10, 50, 100, 250];

/** One after the other, the usual sizes up to the greatest, and that. */
export async function simulate({ members, bundle, ...rest }: SimulateOptions): Promise<Simulated[]> {
  const manifest = pathToFileURL(join(bundle, "istio", "manifest.json"));
  const measured: Simulated[] = [];
  for (const size of [...SIZES.filter((each) => each < members), members]) {
    measured.push(await measureSimulated({ members: size, manifest, ...rest }));
  }
  return measured;
}
