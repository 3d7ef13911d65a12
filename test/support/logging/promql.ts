import { parser } from "@prometheus-io/lezer-promql";

/** Of one log-based metric: the labels that it has, those of its monitored resource included. */
export type Labels = ReadonlyMap<string, readonly string[]>;

/**
 * As PromQL names a metric of Cloud Monitoring: the first slash becomes a colon, every other character that
 * it does not know `_`.
 * https://cloud.google.com/monitoring/promql/promql-mapping
 */
export function seriesName(metricType: string): string {
  const [domain = "", ...path] = metricType.split("/");
  return [domain, path.join("/")].map((part) => part.replaceAll(/\W/g, "_")).join(":");
}

/** Where a query is no PromQL, or names a series or a label that there is not. */
export function queryFaults(query: string, series: Labels): string[] {
  const faults: string[] = [];
  const named: string[] = [];
  let metric = "";
  parser.parse(query).iterate({
    enter: ({ type, from, to }) => {
      const text = query.slice(from, to);
      if (type.isError) faults.push(`no PromQL at ${from}: ${query}`);
      if (type.name === "VectorSelector") metric = "";
      if (type.name === "Identifier") {
        metric = text;
        named.push(text);
        if (!series.has(text)) faults.push(`there is no series ${text}`);
      }
      if (type.name === "LabelName" && series.get(metric)?.includes(text) === false)
        faults.push(`${metric} has no label ${text}`);
    },
    leave: ({ type, from, to }) => {
      // More than one type of resource may write a log-based metric, and Monitoring refuses a query that
      // names none.
      if (type.name === "VectorSelector" && !query.slice(from, to).includes("monitored_resource="))
        faults.push(`${query.slice(from, to)} names no monitored_resource`);
    },
  });
  if (named.length === 0) faults.push(`it reads no series: ${query}`);
  return faults;
}
