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

export interface Simulation {
  readonly measured: readonly Simulated[];
  /** Why a size was not measured, and none after it. */
  readonly ended?: Error;
}

/** One after the other, the usual sizes up to the greatest, and that; what cannot hold one size is not tried with the next. */
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
