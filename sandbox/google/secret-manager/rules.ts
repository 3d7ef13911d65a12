import { GoogleError } from "../http/google-error.ts";

const ALIAS = /^[A-Za-z][-_A-Za-z0-9]{0,62}$/;
const ALIASES_MAX = 50;
const ANNOTATION_KEY = /^[A-Za-z0-9](?:[-_.A-Za-z0-9]*[A-Za-z0-9])?$/;
const ANNOTATION_KEY_MAX = 63;
const ANNOTATIONS_BYTES_MAX = 16 * 1024;
const LABEL_KEY = /^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u;
const LABEL_VALUE = /^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u;
const SECRET_ID = /^[-_A-Za-z0-9]{1,255}$/;

/** The limits of https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets#Secret */
export function checkSecretId(id: string): void {
  if (!SECRET_ID.test(id))
    throw invalid(`The provided Secret ID [${id}] does not match the expected format [[a-zA-Z_0-9]+].`);
}

/** Answers the map with version numbers; `exists` tells whether a version was ever added. */
export function parseAliases(value: unknown, exists: (version: number) => boolean): Map<string, number> {
  const entries = Object.entries(stringMap(value, "version_aliases"));
  if (entries.length > ALIASES_MAX) throw invalid(`A secret has at most ${ALIASES_MAX} version aliases.`);
  return new Map(
    entries.map(([alias, text]) => {
      if (!ALIAS.test(alias) || /^(?:latest|new)$/i.test(alias))
        throw invalid(`Invalid version alias [${alias}].`);
      const version = Number(text);
      if (!Number.isSafeInteger(version) || !exists(version)) {
        throw invalid(`Version alias [${alias}] refers to version [${text}], which does not exist.`);
      }
      return [alias, version];
    }),
  );
}

export function parseAnnotations(value: unknown): Readonly<Record<string, string>> {
  const annotations = stringMap(value, "annotations");
  let bytes = 0;
  for (const [key, text] of Object.entries(annotations)) {
    if (key.length > ANNOTATION_KEY_MAX || !ANNOTATION_KEY.test(key))
      throw invalid(`Invalid annotation key [${key}].`);
    bytes += Buffer.byteLength(key) + Buffer.byteLength(text);
  }
  if (bytes > ANNOTATIONS_BYTES_MAX) throw invalid("The total size of annotations exceeds 16 KiB.");
  return annotations;
}

export function parseSecretLabels(value: unknown): Readonly<Record<string, string>> {
  const labels = stringMap(value, "labels");
  for (const [key, text] of Object.entries(labels)) {
    if (!LABEL_KEY.test(key) || !LABEL_VALUE.test(text)) throw invalid(`Invalid label [${key}].`);
  }
  if (Object.keys(labels).length > 64) throw invalid("A secret has at most 64 labels.");
  return labels;
}

function stringMap(value: unknown, field: string): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw invalid(`Invalid value at '${field}'.`);
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)]));
}

function invalid(message: string): GoogleError {
  return new GoogleError("INVALID_ARGUMENT", message);
}
