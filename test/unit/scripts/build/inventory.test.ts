import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import {
  assertInventory,
  INVENTORY_FILE,
  inventoryText,
  kindsOf,
} from "../../../../scripts/build/manifest/inventory.ts";
import { ROOT } from "../../../../scripts/paths.ts";
import { INVENTORY } from "../../../../shared/istio/needed-permissions.ts";

const QUOTA = { apiVersion: "v1", kind: "ResourceQuota" };

describe("the inventory of a rendering", () => {
  it("has each kind once, by name, with its version", () => {
    const object = (apiVersion: string, kind: string, name: string) => ({
      apiVersion,
      kind,
      metadata: { name },
    });
    const objects = [
      object("v1", "Service", "b"),
      object("apps/v1", "Deployment", "a"),
      object("v1", "Service", "c"),
    ];
    expect(kindsOf(objects)).toEqual([
      { apiVersion: "apps/v1", kind: "Deployment" },
      { apiVersion: "v1", kind: "Service" },
    ]);
  });

  it("is written as it is checked in", () => {
    expect(inventoryText(INVENTORY)).toBe(readFileSync(join(ROOT, INVENTORY_FILE), "utf8"));
  });

  it("lets the same kinds pass", () => {
    expect(() => assertInventory(INVENTORY.toReversed(), INVENTORY)).not.toThrow();
  });

  it.each([
    ["more", [...INVENTORY, QUOTA], "v1 ResourceQuota is rendered and not in it"],
    [
      "another version of one",
      INVENTORY.map((each) => ({ ...each, apiVersion: each.apiVersion.replace("policy/v1", "policy/v2") })),
      "policy/v1 PodDisruptionBudget is in it and not rendered",
    ],
    ["nothing", [], "v1 ServiceAccount is in it and not rendered"],
  ])("refuses %s, and says how to take it over", (_, rendered, line) => {
    expect(() => assertInventory(rendered, INVENTORY)).toThrow(line);
    expect(() => assertInventory(rendered, INVENTORY)).toThrow("--update-inventory");
  });
});
