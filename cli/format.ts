/** `json`: one line of it, alone on standard output. */
export const FORMATS = ["text", "json"] as const;
export type Format = (typeof FORMATS)[number];
