/**
 * Of every cluster whose caller names none;
 * https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips#defaults_limits
 */
export const GOOGLES_SERVICE_RANGE = "34.118.224.0/20";
