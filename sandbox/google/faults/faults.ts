import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

const POLL_MS = 50;

const kinds = [
  "delay",
  "refuse",
  "status",
  "missingZones",
  "duplicateEvents",
  "delayEvents",
  "holdOperations",
  "corruptPayload",
  "imagePull",
  "firewall",
  "gatewayAddress",
] as const;
export type FaultKind = (typeof kinds)[number];

/**
 * The Google APIs that faults can be put on; any other target is a member's cluster ID, the registry, or the
 * firewall.
 */
export type ApiTarget = "gke" | "secretmanager" | "compute" | "projects";

/** Where nodes get images from, and what lies between pods; faults on them are on the board, too. */
type BoardTarget = ApiTarget | "registry" | "firewall";

const faultSchema = z.strictObject({
  target: z.string().min(1),
  kind: z.enum(kinds),
  /** HTTP status that `status` answers. */
  status: z.int().min(400).max(599).optional(),
  delayMs: z.int().positive().optional(),
  /** Locations that `missingZones` leaves out. */
  zones: z.array(z.string().min(1)).nonempty().optional(),
  /** Of `imagePull`: the whole name of the image that no node gets, tag included. */
  image: z.string().min(1).optional(),
  /**
   * Of `firewall`: a cluster ID or a network, whose pods open connections, and one whose pods do not get
   * them.
   */
  from: z.string().min(1).optional(),
  to: z.string().min(1).optional(),
  /** How many requests or messages are hit; all of them unless given. */
  count: z.int().positive().optional(),
});
export type Fault = z.infer<typeof faultSchema>;

/** What each target can do; a member's faults sit in the proxy before its API server. */
const SUPPORTED: Readonly<Record<BoardTarget | "member", readonly FaultKind[]>> = {
  gke: ["delay", "refuse", "status", "missingZones", "duplicateEvents", "delayEvents", "holdOperations"],
  secretmanager: ["delay", "refuse", "status", "corruptPayload"],
  compute: ["delay", "refuse", "status"],
  projects: ["delay", "refuse", "status"],
  registry: ["imagePull"],
  firewall: ["firewall"],
  /** `gatewayAddress`: its load balancers lose their addresses. */
  member: ["delay", "refuse", "status", "gatewayAddress"],
};

const NEEDS: Readonly<Partial<Record<FaultKind, readonly (keyof Fault)[]>>> = {
  delay: ["delayMs"],
  delayEvents: ["delayMs"],
  firewall: ["from", "to"],
  imagePull: ["image"],
  missingZones: ["zones"],
  status: ["status"],
};
const WITHOUT_COUNT: readonly string[] = ["member", "registry", "firewall"];

export function isBoardTarget(target: string): target is BoardTarget {
  return target !== "member" && target in SUPPORTED;
}

/** Reads a request for a fault. Throws an Error that names its mistake and says what would work. */
export function parseFault(body: unknown): Fault {
  const parsed = faultSchema.safeParse(withKind(body));
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  const fault = parsed.data;
  const target = isBoardTarget(fault.target) ? fault.target : "member";
  const supported = SUPPORTED[target];
  if (!supported.includes(fault.kind)) {
    throw new Error(`${fault.kind} does not work on ${fault.target}; use one of ${supported.join(", ")}`);
  }
  const needed = NEEDS[fault.kind]?.find((field) => fault[field] === undefined);
  if (needed !== undefined) throw new Error(`${fault.kind} needs ${needed}; add it`);
  if (WITHOUT_COUNT.includes(target) && fault.count !== undefined) {
    throw new Error(
      `count does not work on a ${target}; leave it out and clear the faults when you are done`,
    );
  }
  return fault;
}

/** The firewall has one kind of fault, which need not be named. */
function withKind(body: unknown): unknown {
  const isFirewall =
    typeof body === "object" && body !== null && "target" in body && body.target === "firewall";
  return isFirewall ? { kind: "firewall", ...body } : body;
}

/** The faults in force. */
export interface FaultBoard {
  add(fault: Fault): void;
  clear(): void;
  /** The oldest fault of this kind that is in force, used up by one. */
  take(target: ApiTarget, kind: FaultKind): Fault | undefined;
  /** Until no such fault is in force. */
  untilCleared(target: ApiTarget, kind: FaultKind): Promise<void>;
  list(): readonly Fault[];
}

export function createFaultBoard(): FaultBoard {
  let faults: { fault: Fault; left: number }[] = [];
  return {
    add(fault) {
      faults.push({ fault, left: fault.count ?? Number.POSITIVE_INFINITY });
    },
    clear() {
      faults = [];
    },
    take(target, kind) {
      const found = faults.find(({ fault }) => fault.target === target && fault.kind === kind);
      if (found === undefined) return undefined;
      found.left -= 1;
      faults = faults.filter(({ left }) => left > 0);
      return found.fault;
    },
    async untilCleared(target, kind) {
      while (faults.some(({ fault }) => fault.target === target && fault.kind === kind)) {
        await sleep(POLL_MS, undefined, { ref: false });
      }
    },
    list() {
      return faults.map(({ fault }) => fault);
    },
  };
}
