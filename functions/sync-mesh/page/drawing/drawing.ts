import type { Html } from "../html.ts";
import type { Box } from "./geometry.ts";

/** A picture and the part of the plane that it takes. */
export interface Drawing {
  readonly box: Box;
  readonly content: Html;
}
