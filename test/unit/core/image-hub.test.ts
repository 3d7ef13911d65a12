import { describe, expect, it } from "@jest/globals";
import { isImageHub } from "../../../shared/core/image-hub.ts";

describe("a hub of images", () => {
  it.each([
    "docker.io/istio",
    "europe-west1-docker.pkg.dev/a-project/mirror/istio",
    "registry.example:5000/istio",
    "localhost/istio",
    "10.0.0.1:443/istio",
    "ghcr.io/istio/a_b/c__d/e--f",
  ])("may be %s", (hub) => expect(isImageHub(hub)).toBe(true));

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
    ["with a user", "user@docker.io/istio"],
    ["too long for a name of an image", `docker.io/${"a".repeat(200)}`],
  ])("is not %s", (_, hub) => expect(isImageHub(hub)).toBe(false));
});
