import { expect } from "@jest/globals";
import type { FleetMember } from "../../../sandbox/fleet-file.ts";
import { unsyncedPairs } from "../../../sandbox/sync-state.ts";
import { secretsOf } from "./kubectl.ts";

const REMOTE = "istio-remote-secret-";
const READER = "meshjoin-reader-";

/** The names of the remote secrets among them. */
export function remoteSecretsOf(secrets: ReadonlyMap<string, unknown>): string[] {
  return [...secrets.keys()].filter((name) => name.startsWith(REMOTE)).toSorted();
}

export interface PairsExpected {
  /** Members that these are not compared with. */
  readonly notWith?: readonly FleetMember[];
}

/** These clusters and no others, in both directions: what the reader holds of the target, and what stands for the reader in the target. */
export async function expectPaired(
  members: readonly FleetMember[],
  { notWith = [] }: PairsExpected = {},
): Promise<void> {
  const ignored = new Set(
    notWith.flatMap(({ clusterId }) => [`istio-remote-secret-${clusterId}`, `meshjoin-reader-${clusterId}`]),
  );
  for (const member of members) {
    const others = members.filter((other) => other !== member).map(({ clusterId }) => clusterId);
    const names = [...(await secretsOf(member)).keys()].filter((name) => !ignored.has(name));
    expect(names.filter((name) => name.startsWith(REMOTE)).toSorted()).toEqual(
      others.map((id) => `${REMOTE}${id}`).toSorted(),
    );
    expect(names.filter((name) => name.startsWith(READER)).toSorted()).toEqual(
      others.map((id) => `${READER}${id}`).toSorted(),
    );
  }
  expect(await unsyncedPairs(members)).toEqual([]);
}
