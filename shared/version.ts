import manifest from "../package.json" with { type: "json" };

/** The version of Meshjoin; fixed in a bundle when it is built. */
export const VERSION: string = manifest.version;
