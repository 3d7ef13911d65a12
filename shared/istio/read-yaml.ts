import { parse } from "yaml";

/**
 * YAML that some person or tool has written. Of two equal keys the last counts, as for Go's `sigs.k8s.io/yaml`, by which istiod
 * reads its mesh config. Undefined where it cannot be read: tabs, unknown aliases, nesting without end.
 */
export function readYaml(text: string): unknown {
  try {
    return parse(text, { uniqueKeys: false, logLevel: "error" });
  } catch {
    return undefined;
  }
}
