import { count } from "../../../shared/core/count.ts";
import { formatGoDuration } from "../../../shared/core/duration.ts";
import {
  abort,
  claimNext,
  isRefusal,
  type Refusal,
  type Roots,
  stageOf,
  type Transition,
} from "../../../shared/core/roots/stages.ts";
import { lookAtMesh, type Mesh } from "../../../shared/look/mesh.ts";
import type { OperatorRun } from "../../../shared/operator.ts";
import { UNKNOWN_VERSION } from "../../../shared/rotate/claim-root.ts";
import { type Foresight, refused } from "../../grave-command.ts";
import { namesIn } from "../../mesh-names.ts";
import type { Session } from "../../session.ts";

/** What an order would do, and the roots that it is about. */
type OfRoots = Foresight<Roots> & { readonly shown: Roots };

/** A rotation to another root; `root` completes "a rotation to". Fails where one cannot begin. */
export async function foreseeRotation(session: Session, root: string): Promise<OfRoots> {
  return await session.withRun(async (run) => {
    const mesh = await lookAtMesh(run, "mesh");
    allowed(claimNext(mesh.roots, UNKNOWN_VERSION, "generated", run.ports.clock.now()));
    const { signing } = mesh.roots.versions;
    return {
      shown: mesh.roots,
      effects: [
        `This begins a rotation to ${root} for ${membersOf(mesh)}: first they trust it beside version ${signing}, then it signs and each gets another intermediate CA, then version ${signing} leaves.`,
        `Each of the three stages takes ${atLeast(run)} or longer; ticks of the functions move it on.`,
      ],
    };
  });
}

/** The way back from a rotation. Fails where there is none. */
export async function foreseeAbort(session: Session): Promise<OfRoots> {
  return await session.withRun(async (run) => {
    const mesh = await lookAtMesh(run, "mesh");
    const { roots } = mesh;
    allowed(abort(roots, run.ports.clock.now()));
    const { signing, next, previous } = roots.versions;
    return {
      shown: roots,
      effects: [
        stageOf(roots) === "distribute"
          ? `This takes the rotation back: version ${next} leaves the trust of ${membersOf(mesh)} and is disabled; version ${signing} goes on signing.`
          : `This takes the rotation back: version ${previous} signs again, and ${membersOf(mesh)} get intermediate CAs of it; version ${signing} leaves after ${atLeast(run)} or longer.`,
      ],
    };
  });
}

function allowed(decision: Transition | Refusal): void {
  if (isRefusal(decision)) throw refused(decision);
}

function membersOf({ members }: Mesh): string {
  const names = namesIn(members);
  const all = members.map(({ clusterId }) => names(clusterId)).join(", ");
  return `${count(members.length, "member")}${all === "" ? "" : ` (${all})`}`;
}

/** No stage is over while a workload's certificate of the stage before may live. */
function atLeast({ spec }: OperatorRun): string {
  return formatGoDuration(spec.workloadTtl);
}
