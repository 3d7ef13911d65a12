import { typedName } from "../cluster/gcloud.ts";
import { count } from "../count.ts";

const RESTARTED = ["deployment", "statefulset", "daemonset"];
const COMMANDS_MAX = 3;

/** Commands for what kubectl can restart; the rest in words. */
export function restartOf(
  workloads: readonly { readonly namespace: string; readonly workload: string }[],
  kubectl: string,
): string {
  const isRestarted = ({ workload }: { readonly workload: string }) =>
    RESTARTED.includes(workload.split("/")[0] ?? "");
  const byNamespace = [...Map.groupBy(workloads.filter(isRestarted), ({ namespace }) => namespace)];
  const commands = byNamespace
    .slice(0, COMMANDS_MAX)
    .map(
      ([namespace, own]) =>
        `${kubectl} -n ${typedName(namespace)} rollout restart ${own.map(({ workload }) => workload.split("/").map(typedName).join("/")).join(" ")}`,
    );
  const rest = byNamespace.length - commands.length;
  const others = workloads.filter((each) => !isRestarted(each));
  return [
    ...(commands.length === 0 ? [] : [`restart them: ${commands.join("; ")}`]),
    ...(rest === 0 ? [] : [`then those of ${count(rest, "more namespace")}`]),
    ...(others.length === 0
      ? []
      : [
          `make anew, or wait for the end of, ${others.map(({ namespace, workload }) => `${namespace}/${workload}`).join(", ")}`,
        ]),
  ].join("; ");
}
