import { describe, expect, it } from "@jest/globals";
import {
  formatView,
  missedBy,
  parseView,
  type View,
  viewOf,
  widest,
} from "../../../../shared/core/roots/view.ts";

const view = (projects: string, allow = ""): View =>
  viewOf({ projects: projects.split(","), allow: allow.split(",").filter(Boolean) });

describe("the view of a configuration", () => {
  it.each([
    ["shop", "shop", []],
    ["shop,zoo", "shop", []],
    ["shop", "zoo,shop", ["project zoo, which MESHJOIN_PROJECTS leaves out"]],
    ["shop m*", "shop", ["clusters that MESHJOIN_ALLOW leaves out"]],
    ["shop m*", "shop m*,n*", ["clusters that n* allows"]],
    ["shop", "shop m*", []],
    ["shop m*,n*", "shop m*", []],
  ])("%s beside %s misses %j", (now, noted, missed) => {
    const read = (text: string) => {
      const [projects = "", allow] = text.split(" ");
      return view(projects, allow);
    };
    expect(missedBy(read(now), read(noted))).toEqual(missed);
    expect(missedBy(widest(read(now), read(noted)), read(noted))).toEqual([]);
    expect(missedBy(widest(read(now), read(noted)), read(now))).toEqual([]);
  });

  it.each([view("shop"), view("shop,zoo"), view("zoo,shop", "m*,a?")])(
    "is read as it was written",
    (each) => {
      expect(parseView(formatView(each))).toEqual(each);
    },
  );

  it.each(["", " m*", "shop m* x"])("is nothing where %j stands", (text) => {
    expect(parseView(text)).toBeUndefined();
  });
});
