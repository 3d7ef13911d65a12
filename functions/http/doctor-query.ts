import * as z from "zod/mini";
import { clusterIdSchema, parse } from "../input/parse.ts";

/** The query of `GET /doctor`: one member, or all. */
export const DOCTOR_QUERY = z.strictObject({ member: z.optional(clusterIdSchema) });

/** The cluster ID of the member that the query names. Fails with InputError, which names the parameter. */
export function parseDoctorQuery(query: URLSearchParams): string | undefined {
  return parse(DOCTOR_QUERY, Object.fromEntries(query)).member;
}
