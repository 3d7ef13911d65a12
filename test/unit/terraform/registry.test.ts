import { describe, expect, it } from "@jest/globals";
import { isRegistryUnreachable } from "../../../scripts/terraform/registry.ts";

/** As Terraform 1.11 prints it, line breaks included. */
const output = (cause: string) => `
Error: Failed to query available provider packages

Could not retrieve the list of available versions for provider
hashicorp/google: ${cause}

To see which modules are currently depending on hashicorp/google and what
versions are specified, run the following command:
    terraform providers
`;

describe("the registry", () => {
  it.each([
    [
      "has no address",
      `could not connect to registry.terraform.io: failed to
request discovery document: Get
"https://registry.terraform.io/.well-known/terraform.json": dial tcp: lookup
registry.terraform.io on 10.0.0.53:53: no such host`,
    ],
    [
      "is behind a proxy that is not there",
      `could not connect to registry.terraform.io: failed to
request discovery document: Get
"https://registry.terraform.io/.well-known/terraform.json": proxyconnect tcp:
dial tcp 127.0.0.1:9: connect: connection refused`,
    ],
    [
      "is behind a proxy that refuses it",
      `could not connect to registry.terraform.io: failed to
request discovery document: Get
"https://registry.terraform.io/.well-known/terraform.json": Not Found`,
    ],
  ])("cannot be reached, if it %s", (_, cause) => {
    expect(isRegistryUnreachable(output(cause))).toBe(true);
  });

  it("has been reached, if it has no version such as the modules ask for", () => {
    const cause = "no available releases match the given constraints ~> 99.0";
    expect(isRegistryUnreachable(output(cause))).toBe(false);
  });
});
