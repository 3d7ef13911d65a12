import { MeshjoinError } from "../errors.ts";
import { fromGoogleError, property } from "./google-client.ts";
import { askGoogle } from "./google-rest.ts";

export interface ProjectApiOptions {
  /** Instead of every API's own address. */
  readonly endpoint?: string;
  readonly accessToken: () => Promise<string>;
}

/** One call about a project, and what it needs. */
export interface ProjectQuestion {
  readonly api: string;
  /** `v1` unless given. */
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

/** `read` throws where the answer has another form than the documented one. */
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
    // The consumer is refused before the call is looked at.
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
  return new Error("the answer has another form than the documented one");
}

/** Of a list that Google leaves out where it is empty. */
export function strings(list: unknown): string[] {
  return Array.isArray(list) ? list.map(String) : [];
}
