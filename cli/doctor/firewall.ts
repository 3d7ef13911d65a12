import { type Check, fault, fine, unknown } from "../../shared/core/answers/check.ts";
import type { Cluster } from "../../shared/core/cluster/cluster.ts";
import { checkPairs, firewallMissing, type PairVerdict } from "../../shared/core/firewall/firewall.ts";
import { createRule } from "../../shared/core/firewall/firewall-rule.ts";
import { clusterId, networkName } from "../../shared/core/names.ts";
import { MeshjoinError } from "../../shared/errors.ts";
import type { Firewalls } from "../../shared/ports/firewalls.ts";

const TIMEOUT_MS = 20_000;
const NAMED_MAX = 3;
const SUBJECT = { name: "firewall", account: "caller" } as const;

/**
 * Whether pods of each member reach those of the others in its network. For a network that cannot be read the
 * check is `unknown`, and its cure is the rule that lets them through.
 */
export async function checkFirewalls(firewalls: Firewalls, members: readonly Cluster[]): Promise<Check[]> {
  const networks = [...Map.groupBy(members, ({ network }) => networkName(network)).values()];
  const views = await Promise.all(
    networks.filter((own) => own.length > 1).map((own) => viewNetwork(firewalls, own)),
  );
  return views.flat();
}

async function viewNetwork(firewalls: Firewalls, members: readonly Cluster[]): Promise<Check[]> {
  const [first] = members;
  if (first === undefined) return [];
  const { network } = first;
  const regions = [...new Set(members.map(({ ref }) => ref.location.replace(/-[a-z]$/, "")))];
  try {
    const firewall = await firewalls.effective(network, regions, AbortSignal.timeout(TIMEOUT_MS));
    const verdicts = checkPairs(network, members, firewall);
    const missing = firewallMissing(network, members, verdicts);
    const faults = missing.map(({ message, cure, clusterId: id }) =>
      fault({ ...SUBJECT, ...(id === undefined ? {} : { clusterId: id }) }, message, cure),
    );
    const doubtful = verdicts.filter(({ state }) => state === "unknown");
    if (doubtful.length > 0) return [...faults, notKnown(members, doubtful)];
    if (faults.length > 0) return faults;
    const message = `rules of network ${networkName(network)} let pods of all ${members.length} members reach each other`;
    return [fine(SUBJECT, message)];
  } catch (error) {
    if (!(error instanceof MeshjoinError)) throw error;
    const message = `it is not known whether pods of one member reach those of another: ${error.message}`;
    return [unknown(SUBJECT, message, createRule(network, members).cure)];
  }
}

function notKnown(members: readonly Cluster[], verdicts: readonly PairVerdict[]): Check {
  const named = verdicts
    .slice(0, NAMED_MAX)
    .map(({ from, to, why }) => `from ${clusterId(from.ref)} to ${clusterId(to.ref)}: ${why}`);
  const rest = verdicts.length - named.length;
  const [first] = verdicts;
  return unknown(
    SUBJECT,
    `it is not known whether requests get through ${named.join("; ")}${rest > 0 ? `; and ${rest} pairs more` : ""}`,
    first && createRule(first.to.network, members).cure,
  );
}
