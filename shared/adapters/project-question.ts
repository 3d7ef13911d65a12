import { MeshjoinError } from "../errors.ts";
import { fromGoogleError, property } from "./google-client.ts";
import { askGoogle } from "./google-rest.ts";

export interface ProjectApiOptions {
  /** Replaces every API's own address. */
  readonly endpoint?: string;
  readonly accessToken: () => Promise<string>;
}

/** One call about a project, and its requirements. */
export interface ProjectQuestion {
  readonly api: string;
  /** Default `v1`. */
  readonly version?: string;
  readonly path: string;
  readonly attempt: string;
  readonly permission: string;
  readonly project: string;
  /** The project whose quota and whose enabled APIs the call counts on. */
  readonly consumer: string;
  readonly body?: object;
  readonly signal: AbortSignal | undefined;
}

/** `read` throws if the answer does not have the documented form. */
export async function askProject<T>(
  options: ProjectApiOptions,
  question: ProjectQuestion,
  read: (answer: object) => T,
): Promise<T> {
  const { accessToken } = options;
  const { api, version = "v1", path, attempt, permission, project, consumer, body, signal } = question;
  const url = `${options.endpoint ?? `https://${api}`}/${version}/${path}`;
  try {
    const answer = await askGoogle({
      url,
      accessToken,
      quotaProject: consumer,
      signal,
      ...(body === undefined ? {} : { body }),
    });
    if (typeof answer === "object" && answer !== null) return read(answer);
    throw unreadableAnswer();
  } catch (error) {
    if (error instanceof MeshjoinError) throw error;
    // Google checks the consumer before the call itself.
    const denied = property(error, "reason") === "USER_PROJECT_DENIED";
    const needed = denied
      ? { permission: "serviceusage.services.use", project: consumer }
      : { permission, project };
    throw fromGoogleError(error, {
      attempt,
      permission: needed.permission,
      resource: `project ${needed.project}`,
      fields: { ...needed, api, consumer },
    });
  }
}

export function unreadableAnswer(): Error {
  return new Error("the answer does not have the documented form");
}

/** A list of texts; Google leaves an empty one out. */
export function strings(list: unknown): string[] {
  return Array.isArray(list) ? list.map(String) : [];
}
