import type { ErrorCode } from "../../../shared/core/answers/error-codes.ts";
import { rootSecretName } from "../../../shared/core/names.ts";
import type { RootRole, RootVersions } from "../../../shared/core/roots/state.ts";
import { ConflictError, type MeshjoinError, RootError, UnavailableError } from "../../../shared/errors.ts";
import type { RootKeeper } from "../../../shared/ports/root-keeper.ts";
import type { RootStore } from "../../../shared/ports/root-store.ts";

/** The root secret in memory. Its state may be changed at any time; the next call sees it. */
export interface FakeRootStore extends RootStore, RootKeeper {
  /** Answers the number of the new version; it has no alias. */
  addVersion(payload: Buffer | string): number;
  setAliases(versions: RootVersions, others?: Readonly<Record<string, number>>): void;
  setAnnotations(annotations: Readonly<Record<string, string>>): void;
  /** From now on the payload of this version arrives damaged. */
  damage(version: number): void;
  /** As a person does with gcloud. */
  enable(version: number): void;
  deleteSecret(): void;
  /** From now on the store refuses every call. */
  deny(): void;
  /** From now on the store gives out no payload. */
  denyPayloads(): void;
  /** The end of that. */
  allowPayloads(): void;
  /** From now on this account lacks this permission, as far as it asks. */
  withhold(permission: string): void;
  /** The next call, of any method, fails with this. */
  failNext(error: MeshjoinError): void;
  /** Every buffer that `payload` handed out. The caller who took it must wipe it. */
  readonly handedOut: readonly Buffer[];
  /** Of every version, in any state. */
  readonly payloads: readonly Buffer[];
  readonly annotations: Readonly<Record<string, string>>;
  /** How often each method was called. */
  readonly calls: { readonly state: number; readonly payload: number };
}

interface Version {
  readonly data: Buffer;
  disabled: boolean;
  damaged: boolean;
}

export function fakeRootStore(meshId = "prod"): FakeRootStore {
  const secret = rootSecretName(meshId);
  const versions: Version[] = [];
  const handedOut: Buffer[] = [];
  const calls = { state: 0, payload: 0 };
  let aliases: RootVersions = {};
  let otherAliases: Readonly<Record<string, number>> = {};
  let annotations: Readonly<Record<string, string>> = {};
  let changes = 0;
  let exists = true;
  let denied: "everything" | "payloads" | undefined;
  let failure: MeshjoinError | undefined;
  const withheld = new Set<string>();

  const refused = () => rootError("RootAccessDenied", `no permission to read secret ${secret}`, "grant it");

  const enter = (signal: AbortSignal | undefined) => {
    if (signal?.aborted === true) {
      throw new UnavailableError("the call was cancelled", { code: "Cancelled" });
    }
    const error = failure;
    failure = undefined;
    if (error !== undefined) throw error;
    if (denied === "everything") throw refused();
  };

  const mustExist = () => {
    if (!exists) throw rootError("RootSecretMissing", `secret ${secret} does not exist`, "create it");
  };

  return {
    handedOut,
    calls,
    get payloads() {
      return versions.map(({ data }) => data);
    },
    get annotations() {
      return annotations;
    },
    async state(signal) {
      calls.state += 1;
      enter(signal);
      mustExist();
      return { versions: aliases, otherAliases, etag: `"${changes}"`, annotations };
    },
    async isEnabled(number, signal) {
      enter(signal);
      if (withheld.has("secretmanager.versions.get")) throw refused();
      return exists && versions[number - 1]?.disabled === false;
    },
    async payload(number, signal) {
      calls.payload += 1;
      enter(signal);
      if (denied === "payloads") throw refused();
      const version = exists ? versions[number - 1] : undefined;
      const name = `version ${number} of secret ${secret}`;
      if (version === undefined)
        throw rootError("RootVersionMissing", `${name} does not exist`, "alias another");
      if (version.disabled) throw rootError("RootVersionDisabled", `${name} is disabled`, "enable it");
      if (version.damaged) throw rootError("RootChecksumMismatch", `${name} arrived damaged`, "run again");
      const copy = Buffer.from(version.data);
      handedOut.push(copy);
      return copy;
    },
    async create(signal) {
      enter(signal);
      const isNew = !exists;
      exists = true;
      return isNew;
    },
    async update(seen, change, signal) {
      enter(signal);
      mustExist();
      if (seen.etag !== `"${changes}"`) {
        throw new ConflictError(`secret ${secret} was changed meanwhile`, {
          code: "Stale",
          cure: "look again",
        });
      }
      aliases = change.versions;
      annotations = change.annotations;
      otherAliases = seen.otherAliases;
      changes += 1;
    },
    async add(payload, signal) {
      enter(signal);
      mustExist();
      return versions.push({ data: Buffer.from(payload), disabled: false, damaged: false });
    },
    enable(number) {
      const version = versions[number - 1];
      if (version !== undefined) version.disabled = false;
    },
    async disable(number, signal) {
      enter(signal);
      const version = versions[number - 1];
      if (version !== undefined) version.disabled = true;
    },
    async granted(permissions, signal) {
      if (denied === "everything" || !exists) return new Set();
      enter(signal);
      return new Set(permissions.filter((each) => !withheld.has(each)));
    },
    async list(signal) {
      enter(signal);
      mustExist();
      return versions.map(({ disabled }, index) => ({ version: index + 1, enabled: !disabled }));
    },
    addVersion(payload) {
      return versions.push({ data: Buffer.from(payload), disabled: false, damaged: false });
    },
    setAliases(next, others = {}) {
      otherAliases = others;
      const roles = Object.entries(next).toSorted(([a], [b]) => (a < b ? -1 : 1));
      aliases = Object.fromEntries(roles) as Partial<Record<RootRole, number>>;
      changes += 1;
    },
    setAnnotations(next) {
      annotations = next;
      changes += 1;
    },
    withhold(permission) {
      withheld.add(permission);
    },
    damage(number) {
      const version = versions[number - 1];
      if (version !== undefined) version.damaged = true;
    },
    deleteSecret() {
      exists = false;
    },
    denyPayloads() {
      denied = "payloads";
    },
    allowPayloads() {
      denied = undefined;
    },
    deny() {
      denied = "everything";
    },
    failNext(error) {
      failure = error;
    },
  };
}

function rootError(code: ErrorCode, message: string, cure: string): RootError {
  return new RootError(message, { code, cure });
}
