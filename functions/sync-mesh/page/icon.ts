import type { Tone } from "./facts/tone.ts";

const SHAPES: Readonly<Record<Tone, string>> = {
  good: "<circle cx='8' cy='8' r='7' fill='#1b7f5c'/><path d='M4.5 8.5 7 11l4.5-6' fill='none' stroke='#fff' stroke-width='2'/>",
  warning:
    "<path d='M8 1 15.5 15H.5z' fill='#c77700'/><path d='M8 6v4m0 2v1.5' stroke='#fff' stroke-width='2'/>",
  error:
    "<path d='M1 1h14v14H1z' fill='#c0322b'/><path d='m5 5 6 6m0-6-6 6' stroke='#fff' stroke-width='2'/>",
};

/** The state of the mesh in a browser's tab. Else browsers ask for `/favicon.ico`: forbidden here. */
export function iconUrl(tone: Tone): string {
  const svg = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>${SHAPES[tone]}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
