export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export function boxAround({ x, y }: Point, width: number, height: number): Box {
  return { left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2 };
}

export function unionOf(boxes: readonly Box[]): Box {
  return {
    left: Math.min(...boxes.map(({ left }) => left)),
    top: Math.min(...boxes.map(({ top }) => top)),
    right: Math.max(...boxes.map(({ right }) => right)),
    bottom: Math.max(...boxes.map(({ bottom }) => bottom)),
  };
}

export function padded({ left, top, right, bottom }: Box, by: number): Box {
  return { left: left - by, top: top - by, right: right + by, bottom: bottom + by };
}

export function cornersOf({ left, top, right, bottom }: Box): Point[] {
  return [
    { x: left, y: top },
    { x: right, y: top },
    { x: right, y: bottom },
    { x: left, y: bottom },
  ];
}

function turn(origin: Point, a: Point, b: Point): number {
  return (a.x - origin.x) * (b.y - origin.y) - (a.y - origin.y) * (b.x - origin.x);
}

function halfHull(points: readonly Point[]): Point[] {
  const hull: Point[] = [];
  for (const point of points) {
    for (;;) {
      const [before, last] = hull.slice(-2);
      if (before === undefined || last === undefined || turn(before, last, point) > 0) break;
      hull.pop();
    }
    hull.push(point);
  }
  return hull.slice(0, -1);
}

/** The convex hull (monotone chain); https://en.wikipedia.org/wiki/Convex_hull_algorithms */
export function hullOf(points: readonly Point[]): Point[] {
  const sorted = points.toSorted((a, b) => a.x - b.x || a.y - b.y);
  return [...halfHull(sorted), ...halfHull(sorted.toReversed())];
}

/** Where the ray from the middle of a box through a point leaves the box. */
export function exitOf(middle: Point, width: number, height: number, towards: Point): Point {
  const dx = towards.x - middle.x;
  const dy = towards.y - middle.y;
  const scale = Math.min(width / 2 / Math.abs(dx), height / 2 / Math.abs(dy));
  return Number.isFinite(scale) ? { x: middle.x + dx * scale, y: middle.y + dy * scale } : middle;
}

/** Clockwise from the top, as on a clock. */
export function onEllipse(turns: number, radiusX: number, radiusY: number): Point {
  const angle = (turns - 0.25) * 2 * Math.PI;
  return { x: radiusX * Math.cos(angle), y: radiusY * Math.sin(angle) };
}

/** At the distance `by`, square to the line from a to b, to its right-hand side. */
export function asideOf(a: Point, b: Point, by: number): Point {
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  return { x: ((a.y - b.y) / length) * by, y: ((b.x - a.x) / length) * by };
}

/** Bends a line from a to b towards the centre, and to its right, so that the line back is apart from it. */
export function controlOf(a: Point, b: Point, bend: number, by: number): Point {
  const aside = asideOf(a, b, by);
  return {
    x: ((a.x + b.x) / 2) * (1 - bend) + aside.x,
    y: ((a.y + b.y) / 2) * (1 - bend) + aside.y,
  };
}

/** For SVG, rounded to a tenth of a pixel. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10 || 0);
}
