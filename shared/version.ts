import manifest from "../package.json" with { type: "json" };

/** Of Meshjoin; a bundle has it from when it was built. */
export const VERSION: string = manifest.version;
