import { describe, expect, it } from "@jest/globals";
import {
  boxAround,
  controlOf,
  cornersOf,
  exitOf,
  hullOf,
  onEllipse,
  px,
} from "../../../../functions/sync-mesh/page/drawing/geometry.ts";

describe("a hull", () => {
  it("is the corners of a box, whatever is inside", () => {
    const corners = cornersOf(boxAround({ x: 0, y: 0 }, 4, 2));
    const hull = hullOf([{ x: 0, y: 0 }, ...corners, { x: 1, y: 0.5 }, { x: 0, y: 1 }]);
    expect(hull).toHaveLength(4);
    expect(hull).toEqual(expect.arrayContaining(corners));
  });
});

describe("the exit of a box", () => {
  it.each([
    ["to the right", { x: 9, y: 0 }, { x: 2, y: 0 }],
    ["upwards", { x: 0, y: -9 }, { x: 0, y: -1 }],
    ["through a corner", { x: 8, y: 4 }, { x: 2, y: 1 }],
    ["nowhere", { x: 0, y: 0 }, { x: 0, y: 0 }],
  ])("%s", (_, towards, expected) => {
    expect(exitOf({ x: 0, y: 0 }, 4, 2, towards)).toEqual(expected);
  });
});

it("a line and the line back are bent to different sides", () => {
  const [a, b] = [
    { x: -10, y: 0 },
    { x: 10, y: 0 },
  ];
  expect(controlOf(a, b, 0, 3)).toEqual({ x: 0, y: 3 });
  expect(controlOf(b, a, 0, 3)).toEqual({ x: 0, y: -3 });
});

it("turns begin at the top and go clockwise", () => {
  const points = [0, 0.25, 0.5, 0.75].map((turns) => onEllipse(turns, 2, 1));
  expect(points.map(({ x, y }) => [px(x), px(y)])).toEqual([
    ["0", "-1"],
    ["2", "0"],
    ["0", "1"],
    ["-2", "0"],
  ]);
});
