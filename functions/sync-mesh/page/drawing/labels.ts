import { type Edge, pointOn } from "./edge.ts";
import { asideOf, type Box, boxAround, type Point } from "./geometry.ts";

/** Of the letters, and between a word and its own line. */
const WORD = { height: 14, perCharacter: 7.2, air: 8 };
/** Where along its line a word may stand: nearer to the reader first, because most lines cross halfway. */
const PLACES = [0.36, 0.42, 0.3, 0.48, 0.24, 0.54, 0.18, 0.6, 0.7];
const SAMPLES = 40;

interface Labelled {
  readonly edge: Edge;
  readonly word: string;
}

export interface Label extends Labelled {
  /** The middle of the word. */
  readonly at: Point;
}

function boxOf(word: string, at: Point): Box {
  return boxAround(at, word.length * WORD.perCharacter, WORD.height);
}

/** Beside its line at a share of its length, on one of its sides. */
function beside(edge: Edge, word: string, share: number, side: 1 | -1): Point {
  const { x, y } = pointOn(edge, share);
  const away = asideOf(edge.from, edge.to, side);
  const half = (word.length * WORD.perCharacter) / 2;
  return {
    x: x + away.x * (half + WORD.air),
    y: y + away.y * (WORD.height / 2 + WORD.air),
  };
}

function isIn({ x, y }: Point, { left, top, right, bottom }: Box): boolean {
  return x > left && x < right && y > top && y < bottom;
}

function isOver(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** For each word the place beside its line where it covers least of other lines, of `boxes` and of words. */
export function placeLabels(
  labelled: readonly Labelled[],
  edges: readonly Edge[],
  boxes: readonly Box[],
): Label[] {
  const points = edges.flatMap((edge) =>
    Array.from({ length: SAMPLES + 1 }, (_, index) => pointOn(edge, index / SAMPLES)),
  );
  const taken: Box[] = [...boxes];
  return labelled.map(({ edge, word }) => {
    const places = PLACES.flatMap((share) =>
      ([1, -1] as const).map((side) => {
        const at = beside(edge, word, share, side);
        const box = boxOf(word, at);
        const crossed = points.filter((point) => isIn(point, box)).length;
        const covered = taken.filter((other) => isOver(box, other)).length;
        return { at, box, cost: crossed + SAMPLES * covered };
      }),
    );
    const [best] = places.toSorted((a, b) => a.cost - b.cost);
    if (best === undefined) throw new TypeError("a label has no place");
    taken.push(best.box);
    return { edge, word, at: best.at };
  });
}
