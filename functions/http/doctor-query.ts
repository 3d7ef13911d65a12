import * as z from "zod/mini";
import { clusterIdSchema, parse } from "../input/parse.ts";

/** The query of `GET /doctor`: one member, or all. */
export const DOCTOR_QUERY = z.strictObject({ member: z.optional(clusterIdSchema) });

/** The cluster ID of the one member that is asked about. Fails with InputError, which names the parameter at fault. */
export function parseDoctorQuery(query: URLSearchParams): string | undefined {
  return parse(DOCTOR_QUERY, Object.fromEntries(query)).member;
}
