import { describe, expect, it } from "@jest/globals";
import { parseProto, resolveType } from "../../../../scripts/build/manifest/proto.ts";

const FILE = `
syntax = "proto3";
// A comment with a message { brace
package istio.mesh.v1alpha1;
import "google/protobuf/duration.proto";
option go_package = "istio.io/api/mesh/v1alpha1";
/* message Hidden { string no = 1; } */
message MeshConfig {
  // "quoted" // twice
  string access_log_file = 13;
  optional bool enable_auto = 1 [deprecated = true];
  message CA {
    string address = 1 [json_name = "where"];
    enum Mode { OFF = 0; ON = 1 [deprecated = true]; }
    Mode mode = 2;
  }
  repeated CA certs = 2;
  oneof choice {
    google.protobuf.Duration timeout = 3;
    .istio.mesh.v1alpha1.MeshConfig.CA other = 4;
  }
  map<string, CA> by_name = 5;
  map<string, string> proxy_metadata = 6;
  reserved 7, 8;
  reserved "old";
  option (foo) = { bar: "}" };
}
enum Top { A = 0; }
`;

describe("a proto file", () => {
  it("is read as its messages with their fields, by their names in JSON", () => {
    const { messages, enums } = parseProto(FILE);
    const field = (name: string, type: string, isMap = false) => ({ name, type, isMap });
    expect([...messages]).toEqual([
      [
        "istio.mesh.v1alpha1.MeshConfig",
        [
          field("accessLogFile", "string"),
          field("enableAuto", "bool"),
          field("certs", "CA"),
          field("timeout", "google.protobuf.Duration"),
          field("other", ".istio.mesh.v1alpha1.MeshConfig.CA"),
          field("byName", "CA", true),
          field("proxyMetadata", "string", true),
        ],
      ],
      ["istio.mesh.v1alpha1.MeshConfig.CA", [field("where", "string"), field("mode", "Mode")]],
    ]);
    expect([...enums]).toEqual(["istio.mesh.v1alpha1.MeshConfig.CA.Mode", "istio.mesh.v1alpha1.Top"]);
  });

  it.each([
    ["CA", "a.b.Mesh", "a.b.Mesh.CA"],
    ["Other", "a.b.Mesh", "a.b.Other"],
    ["c.Far", "a.b.Mesh", "a.c.Far"],
    [".a.c.Far", "a.b.Mesh", "a.c.Far"],
    ["Unknown", "a.b.Mesh", "Unknown"],
  ])("resolves %s within %s to %s", (type, scope, expected) => {
    const known = ["a.b.Mesh.CA", "a.CA", "a.b.Other", "a.c.Far"];
    expect(resolveType(type, scope, (name) => known.includes(name))).toBe(expected);
  });
});
