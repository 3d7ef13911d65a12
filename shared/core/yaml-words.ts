/** Words that YAML 1.1 does not read as texts; some names stand unquoted in Istio's mesh configuration. */
export const YAML_WORDS = ["false", "n", "no", "null", "off", "on", "true", "y", "yes"];
