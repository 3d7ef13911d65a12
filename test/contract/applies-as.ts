import type { ApiConnection } from "../../shared/adapters/member-api/connection.ts";
import { objectPath } from "../../shared/adapters/member-api/resources.ts";
import type { MemberWorld } from "./member-api.contract.ts";

/** Server-side apply by another field manager, over a connection of its own. */
export function appliesAs(connection: ApiConnection): MemberWorld["applyAs"] {
  return async (manager, object) => {
    const { apiVersion, kind, metadata } = object;
    const { name, namespace } = metadata;
    await connection.json({
      method: "PATCH",
      path: objectPath({ apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) }),
      query: { fieldManager: manager, force: "true" },
      contentType: "application/apply-patch+yaml",
      body: object,
      what: `apply ${kind} ${name}`,
    });
  };
}
