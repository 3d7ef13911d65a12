import { generateKeyPairSync, sign, verify } from "node:crypto";
import { z } from "zod";

/**
 * OpenID tokens as Google's metadata server issues them, signed by a key that lives as long as the sandbox.
 */
export interface IdentityTokens {
  issue(email: string, audience: string): string;
  /** The email of a living token for exactly this audience; otherwise `undefined`. */
  verify(token: string, audience: string): string | undefined;
}

const LIFETIME = 3600;
const HEADER = encode({ alg: "ES256", typ: "JWT" });

export function createIdentityTokens(now: () => number = Date.now): IdentityTokens {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const dsaEncoding = "ieee-p1363";
  return {
    issue(email, audience) {
      const issuedAt = Math.floor(now() / 1000);
      const claims = {
        aud: audience,
        azp: email,
        email,
        email_verified: true,
        exp: issuedAt + LIFETIME,
        iat: issuedAt,
        iss: "https://accounts.google.com",
        sub: email,
      };
      const signed = `${HEADER}.${encode(claims)}`;
      const signature = sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding });
      return `${signed}.${signature.toString("base64url")}`;
    },
    verify(token, audience) {
      const [header, payload, signature] = token.split(".");
      if (header === undefined || payload === undefined || signature === undefined) return undefined;
      const authentic = verify(
        "sha256",
        Buffer.from(`${header}.${payload}`),
        { key: publicKey, dsaEncoding },
        Buffer.from(signature, "base64url"),
      );
      if (!authentic) return undefined;
      const claims = claimsSchema.parse(JSON.parse(Buffer.from(payload, "base64url").toString("utf8")));
      return claims.aud === audience && claims.exp * 1000 > now() ? claims.email : undefined;
    },
  };
}

const claimsSchema = z.object({ aud: z.string(), email: z.string(), exp: z.number() });

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
