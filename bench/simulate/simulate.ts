import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { measureSimulated, type Simulated } from "./measure.ts";

export interface SimulateOptions {
  /** The greatest size. */
  readonly members: number;
  /** The directory that `npm run build` made. */
  readonly bundle: string;
  readonly progress: (line: string) => void;
  /** A directory for CPU profiles. */
  readonly profiles?: string;
}

const SIZES = [10, 50, 100, 250];

export interface Simulation {
  readonly measured: readonly Simulated[];
  /** Set if a size could not be measured; the later ones are not tried. */
  readonly ended?: Error;
}

/** Measures the usual sizes below `members`, then `members`; stops at the first that fails. */
export async function simulate({ members, bundle, ...rest }: SimulateOptions): Promise<Simulation> {
  const manifest = pathToFileURL(join(bundle, "istio", "manifest.json"));
  const measured: Simulated[] = [];
  for (const size of [...SIZES.filter((each) => each < members), members]) {
    try {
      measured.push(await measureSimulated({ members: size, manifest, ...rest }));
    } catch (error) {
      return { measured, ended: new Error(`${size} members were not measured`, { cause: error }) };
    }
  }
  return { measured };
}
