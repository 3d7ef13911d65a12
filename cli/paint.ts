import { styleText } from "node:util";
import type { OutputStream } from "./host.ts";

export type Colour = "green" | "yellow" | "red" | "dim" | "bold";

/** Colours a text, or returns it unchanged. */
export type Paint = (colour: Colour, text: string) => string;

const plain: Paint = (_, text) => text;

/** https://no-color.org */
export function paintFor(stream: OutputStream, env: Readonly<Record<string, string | undefined>>): Paint {
  const colourful = stream.isTTY === true && !env["NO_COLOR"] && env["TERM"] !== "dumb";
  return colourful ? (colour, text) => styleText(colour, text, { validateStream: false }) : plain;
}
