import { randomBytes, timingSafeEqual } from "node:crypto";

/**
 * A form proves that this page made it by a token that it sends twice: as a field, and as a cookie that no
 * other site can set or cause to be sent (SameSite=Strict).
 */
const COOKIE = "meshjoin-csrf";
const TOKEN = /^[\w-]{43}$/;

export function newCsrfToken(): string {
  return randomBytes(32).toString("base64url");
}

export function csrfCookie(token: string): string {
  return `${COOKIE}=${token}; Path=/; HttpOnly; SameSite=Strict`;
}

/** The token that the browser has already, so that pages side by side share one. */
export function csrfTokenOf(cookies: string | undefined): string | undefined {
  const pairs = (cookies ?? "").split(";").map((pair) => pair.trim().split("="));
  const token = pairs.find(([name]) => name === COOKIE)?.[1];
  return token !== undefined && TOKEN.test(token) ? token : undefined;
}

export function isCsrfTokenRight(field: string | null, cookies: string | undefined): boolean {
  const token = csrfTokenOf(cookies);
  if (token === undefined || field === null || field.length !== token.length) return false;
  return timingSafeEqual(Buffer.from(field), Buffer.from(token));
}

export interface OriginHeaders {
  readonly origin: string | undefined;
  readonly host: string | undefined;
  /** https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header */
  readonly secFetchSite: string | undefined;
}

/**
 * A browser names the origin of a form; a client that does not is no browser and has no cookie either.
 * `Sec-Fetch-Site` is the browser's own comparison and survives a proxy that changes the host; only browsers
 * before 2023 lack it.
 */
export function isSameOrigin({ origin, host, secFetchSite }: OriginHeaders): boolean {
  if (secFetchSite !== undefined) return secFetchSite === "same-origin";
  return origin !== undefined && URL.parse(origin)?.host === host;
}
