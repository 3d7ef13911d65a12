import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { ROOT } from "../../../scripts/paths.ts";
import { isImageHub } from "../../../shared/core/image-hub.ts";

const VARIABLES = readFileSync(join(ROOT, "terraform", "variables.tf"), "utf8");

/**
 * What the conditions of Terraform's variable `istio_hub` say: its expression means the same to RE2 and here.
 */
function isTerraformsHub(hub: string): boolean {
  const [, expression] = /can\(regex\("([^"]+)", var\.istio_hub\)\)/.exec(VARIABLES) ?? [];
  const [, lengthMax] = /length\(var\.istio_hub\), 0\) <= (\d+)/.exec(VARIABLES) ?? [];
  if (expression === undefined || lengthMax === undefined)
    throw new Error("variables.tf has no grammar of istio_hub");
  return new RegExp(expression).test(hub) && hub.length <= Number(lengthMax);
}

describe.each([
  ["the functions", isImageHub],
  ["Terraform", isTerraformsHub],
])("to %s, a hub of images", (_who, isHub) => {
  it.each([
    "docker.io/istio",
    "europe-west1-docker.pkg.dev/a-project/mirror/istio",
    "registry.example:5000/istio",
    "localhost/istio",
    "10.0.0.1:443/istio",
    "mirror:65535/istio",
    "ghcr.io/istio/a_b/c__d/e--f",
  ])("may be %s", (hub) => expect(isHub(hub)).toBe(true));

  it.each([
    ["empty", ""],
    ["a host alone", "docker.io"],
    ["a path alone, which a runtime would look for on Docker Hub", "istio/release"],
    ["with a scheme", "https://docker.io/istio"],
    ["with a slash at the end", "docker.io/istio/"],
    ["with an empty part", "docker.io//istio"],
    ["with a tag", "docker.io/istio:1.31.4"],
    ["with a digest", "docker.io/istio@sha256:0123"],
    ["with upper case", "docker.io/Istio"],
    ["with a space", "docker.io/istio "],
    ["with a line break", "docker.io/istio\n"],
    ["with a port that is no number", "docker.io:https/istio"],
    ["with a part that begins with a dot", "docker.io/.istio"],
    ["with port 0", "a.b:0/x"],
    ["with a port above 65535", "a.b:65536/x"],
    ["with a port of five nines", "a.b:99999/x"],
    ["with a port that begins with 0", "a.b:080/x"],
    ["with two dots in a part", "a.b/x..y"],
    ["with two dots in the host", "a..b/x"],
    ["with a part that ends with an underscore", "a.b/x_"],
    ["a word and a path", "foo/bar"],
    ["a mirror without a host", "istio/mirror"],
    ["with a user", "user@docker.io/istio"],
    ["too long for a name of an image", `docker.io/${"a".repeat(200)}`],
  ])("is not %s", (_, hub) => expect(isHub(hub)).toBe(false));
});
