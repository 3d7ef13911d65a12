import { parse } from "yaml";

/**
 * Reads YAML that a person or a tool has written. Of two equal keys the last counts, as in Go's
 * `sigs.k8s.io/yaml`, which istiod uses. Undefined for malformed YAML: tabs, unknown aliases, nesting without
 * end.
 */
export function readYaml(text: string): unknown {
  try {
    return parse(text, { uniqueKeys: false, logLevel: "error" });
  } catch {
    return undefined;
  }
}
