import * as z from "zod/mini";
import type { FitnessBody } from "../../../functions/sign-intermediate/sign-intermediate.ts";
import type { IssuedCertificate, TrustBundle } from "../../../shared/ports/root-authority.ts";
import { OUTPUTS } from "./sync-mesh-answers.ts";

/** The answers of `sign-intermediate` as schemas; see sync-mesh-answers.ts. */

const version = z.int().check(z.positive());
const rootVersions = z.strictObject({
  signing: z.exactOptional(version),
  next: z.exactOptional(version),
  previous: z.exactOptional(version),
});

const trustBundle: z.ZodMiniType<TrustBundle> = z.strictObject({ trustBundle: z.string(), rootVersions });

const issued: z.ZodMiniType<IssuedCertificate> = z.strictObject({
  certificate: z.string(),
  trustBundle: z.string(),
  rootVersions,
});

const fitness: z.ZodMiniType<FitnessBody> = z.strictObject({ rootVersions, signsUntil: z.iso.datetime() });

/** By name in the OpenAPI document. */
export const SIGN_OUTPUTS = {
  Issued: issued,
  TrustBundle: trustBundle,
  Fitness: fitness,
  Diagnosis: OUTPUTS.Diagnosis,
  Error: OUTPUTS.Error,
} as const;
