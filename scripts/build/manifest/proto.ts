/** One field of a message. */
export interface ProtoField {
  /** As in JSON: lowerCamelCase. protojson also takes the name as it is written in the file. */
  readonly name: string;
  /** A scalar, or the full name of a message or an enum, as far as the file tells. */
  readonly type: string;
  /** Of `map<key, type>`: its keys are free. */
  readonly isMap: boolean;
}

/** By full names, such as `istio.mesh.v1alpha1.MeshConfig.CA`. */
export interface ProtoFile {
  readonly messages: ReadonlyMap<string, readonly ProtoField[]>;
  readonly enums: ReadonlySet<string>;
}

/**
 * Reads what a `.proto` file says of the shape of its messages, and no more. Types keep the name that the
 * file gives them; `resolveType` finds the message.
 */
export function parseProto(text: string): ProtoFile {
  const tokens = tokensOf(text);
  const messages = new Map<string, ProtoField[]>();
  const enums = new Set<string>();
  let at = 0;
  const take = () => tokens[at++] ?? "";
  const skipStatement = () => {
    for (let depth = 0; at < tokens.length; ) {
      const token = take();
      if (token === "{") depth += 1;
      if (token === "}") depth -= 1;
      if (depth === 0 && (token === ";" || token === "}")) return;
    }
  };

  const field = (fields: ProtoField[]) => {
    const words: string[] = [];
    while (at < tokens.length && tokens[at] !== "=") words.push(take());
    const options: string[] = [];
    while (at < tokens.length && tokens[at] !== ";") options.push(take());
    take();
    const written = words.pop() ?? "";
    const isMap = words[0] === "map";
    const type = words.findLast((word) => word !== ">") ?? "";
    const named = options.indexOf("json_name");
    const name = named === -1 ? jsonName(written) : JSON.parse(options[named + 2] ?? '""');
    fields.push({ name, type, isMap });
  };

  /** The body of a message or of a `oneof`, whose fields are the message's. */
  const body = (scope: string, fields: ProtoField[]) => {
    while (at < tokens.length) {
      const next = tokens[at] ?? "";
      if (next === "}") {
        at += 1;
        return;
      }
      if (next === "message") message(scope);
      else if (next === "oneof") {
        at += 3;
        body(scope, fields);
      } else if (next === "enum") enumeration(scope);
      else if (["option", "reserved", "extensions", "extend", ";"].includes(next)) skipStatement();
      else field(fields);
    }
  };

  const enumeration = (scope: string) => {
    enums.add(`${scope}.${tokens[at + 1] ?? ""}`);
    skipStatement();
  };

  const message = (scope: string) => {
    take();
    const name = `${scope}.${take()}`;
    take();
    const fields: ProtoField[] = [];
    messages.set(name, fields);
    body(name, fields);
  };

  let scope = "";
  while (at < tokens.length) {
    if (tokens[at] === "package") {
      take();
      scope = take();
      take();
    } else if (tokens[at] === "message") message(scope);
    else if (tokens[at] === "enum") enumeration(scope);
    else skipStatement();
  }
  return { messages, enums };
}

/** From the innermost scope outwards; https://protobuf.dev/programming-guides/proto3/#name-resolution */
export function resolveType(type: string, scope: string, isKnown: (name: string) => boolean): string {
  if (type.startsWith(".")) return type.slice(1);
  const parts = scope.split(".");
  for (let length = parts.length; length >= 0; length -= 1) {
    const name = [...parts.slice(0, length), type].join(".");
    if (isKnown(name)) return name;
  }
  return type;
}

/** Without comments: names with their dots, numbers, quoted texts, and signs one by one. */
function tokensOf(text: string): string[] {
  const parts = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\/\/[^\n]*|\/\*[^]*?\*\/|[\w.]+|[^\s\w]/g;
  return [...text.matchAll(parts)].map(([token]) => token).filter((token) => !/^\/[/*]/.test(token));
}

function jsonName(name: string): string {
  return name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
