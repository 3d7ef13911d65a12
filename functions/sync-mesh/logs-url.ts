/**
 * The function's own log in the console; undefined if its project or service is not known.
 * https://cloud.google.com/logging/docs/view/logs-explorer-interface
 */
export function logsUrl(project: string | undefined, service: string | undefined): string | undefined {
  if (project === undefined || service === undefined) return undefined;
  const query = `resource.type="cloud_run_revision"\nresource.labels.service_name="${service}"`;
  return `https://console.cloud.google.com/logs/query;query=${encodeURIComponent(query)}?project=${encodeURIComponent(project)}`;
}
