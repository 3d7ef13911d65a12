import { type ForeignCacerts, isReachable } from "../core/member/observation.ts";
import {
  claimNext,
  isRefusal,
  isSameStage,
  isStaleOrder,
  NOT_AS_SHOWN,
  type Refusal,
  type Roots,
  withOrder,
  withView,
} from "../core/roots/stages.ts";
import { viewOf } from "../core/roots/view.ts";
import { type MeshjoinError, RefusedError, UnavailableError } from "../errors.ts";
import { lookAtMesh } from "../look/mesh.ts";
import { type Changed, type RotatorRun, readRoots } from "./change-roots.ts";
import { claimRoot, UNKNOWN_VERSION } from "./claim-root.ts";
import { generatedRoot, type NextRoot } from "./root-payload.ts";

interface Beginning {
  readonly givenAt: Date;
  /** The roots that a person saw; undefined where nobody was asked. */
  readonly shown?: Roots | undefined;
  /** The root of a person; without it one is generated here. */
  readonly bring?: () => Promise<NextRoot>;
}

/** Begins a rotation to a new root. Of two at once, one begins. */
export async function beginRotation(run: RotatorRun, { givenAt, shown, bring }: Beginning): Promise<Changed> {
  const isShown = (roots: Roots) => shown === undefined || isSameStage(roots, shown);
  const before = await readRoots(run);
  if (isStaleOrder(before.notes, givenAt, run.ports.clock.now())) return { before, after: undefined };
  if (!isShown(before)) return { before, after: NOT_AS_SHOWN };
  const mayBegin = claimNext(before, UNKNOWN_VERSION, "generated", givenAt);
  if (isRefusal(mayBegin)) return { before, after: mayBegin };
  const barrier = await foreignCacerts(run);
  if (barrier !== undefined) return { before, after: barrier };

  const { payload, origin } = await (bring?.() ?? generatedRoot(run.spec, run.ports.clock.now()));
  return await claimRoot(run, payload, "next", (roots, _, version) => {
    if (isStaleOrder(roots.notes, givenAt, run.ports.clock.now())) return undefined;
    if (!isShown(roots)) return NOT_AS_SHOWN;
    const transition = claimNext(roots, version, origin, run.ports.clock.now());
    return isRefusal(transition)
      ? transition
      : withView(withOrder(transition, givenAt, run.ports.clock.now()), viewOf(run.spec));
  });
}

/** A member whose `cacerts` Meshjoin does not rotate would be cut off. Throws where Meshjoin cannot tell. */
async function foreignCacerts(run: RotatorRun): Promise<Refusal | undefined> {
  const { members } = await lookAtMesh(run, "mesh");
  const foreign = members
    .filter(isReachable)
    .flatMap(({ clusterId, state: { cacerts } }) =>
      cacerts?.owner === "foreign" ? [{ clusterId, cacerts }] : [],
    );
  for (const { clusterId, cacerts } of foreign)
    if (cacerts.trust === "unknown") throw notJudged(clusterId, cacerts.because);
  const own = foreign.flatMap(({ clusterId, cacerts }) => (cacerts.trust === "sameRoots" ? [clusterId] : []));
  if (own.length === 0) return undefined;
  return {
    refused: "ForeignCacerts",
    message: `${own.join(", ")} has a cacerts of its own, which Meshjoin does not rotate`,
    cure: `take the mesh label off the cluster: ${own.map((id) => `meshjoin leave ${id}`).join("; and: ")}; or delete its cacerts, so that Meshjoin issues one, an outage if istiod starts before it is there`,
  };
}

/** An error, not a refusal: if time may tell, the order comes again. */
function notJudged(clusterId: string, because: Unjudged["because"]): MeshjoinError {
  const { code, message, cure, retryable } = because;
  const Kind = retryable ? UnavailableError : RefusedError;
  const text = `Meshjoin cannot tell whether the cacerts of ${clusterId} is of this mesh: ${message}`;
  return new Kind(text, { code, ...(cure === undefined ? {} : { cure }), fields: { clusterId } });
}

type Unjudged = Extract<ForeignCacerts, { readonly trust: "unknown" }>;
