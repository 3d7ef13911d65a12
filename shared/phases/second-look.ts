import { lookAgain } from "../look/mesh.ts";
import { type Course, type Phase, wholeSubjects } from "./course.ts";

/** Design rule 2: peers are read only after the subjects' own halves are on record. */
export const secondLook: Phase = async (run, course) => {
  const { mesh, report } = course;
  const wrote = report.members.some((member) => member.wrote === true);
  if (!(wrote || mesh.isPartial) || (wholeSubjects(course).size === 0 && !hasTurns(course))) return {};
  const again = await lookAgain(run, mesh, wrote);
  return { mesh: again, findings: again.listing.findings };
};

function hasTurns({ request, plan }: Course): boolean {
  const isDue = plan.members.some(({ renewal, rollOut }) => renewal !== undefined || rollOut !== undefined);
  return request.rollOut === true && isDue;
}
