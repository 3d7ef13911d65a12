import { describe, expect, it } from "@jest/globals";
import { readLists } from "../../../../../sandbox/google/permissions/hcl-lists.ts";

const FILE = `
variable "wanted" { type = string }
locals {
  shared = ["a.b.get", "a.b.list"] # both

  wanted = {
    plain = [
      // "x.y.z",
      "c.d.get",
      /* "x.y.w", */ "c.d.list",
    ]
    "shared" = local.shared
    joined   = concat(local.shared, ["c.d.update"])
  }
}`;

describe("lists in a Terraform file", () => {
  it("are read one by one, comments left out and locals resolved", () => {
    expect(Object.fromEntries(readLists(FILE, "wanted"))).toEqual({
      plain: ["c.d.get", "c.d.list"],
      shared: ["a.b.get", "a.b.list"],
      joined: ["a.b.get", "a.b.list", "c.d.update"],
    });
  });

  it.each([
    ["a function that it does not know", 'a = flatten([["a.b.get"]])', "cannot be read"],
    ["a variable", "a = var.permissions", "cannot be read"],
    ["a template", 'a = ["a.${var.b}.get"]', "cannot be read"],
    ["a condition", 'a = var.x ? ["a.b.get"] : []', "cannot be read"],
    ["a list in a list", 'a = ["a.b.get", ["a.b.list"]]', "cannot be read"],
    ["a local from elsewhere", "a = local.elsewhere", "no local.elsewhere"],
    ["an end that is missing", 'a = ["a.b.get"', "cannot be read"],
  ])("fail on %s instead of being read in part", (_, line, message) => {
    expect(() => readLists(`locals { wanted = { ${line} } }`, "wanted")).toThrow(message);
  });

  it("fail where there is none of the name", () => {
    expect(() => readLists("locals {}", "wanted")).toThrow("no local.wanted");
  });
});
