import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";
import { type BlockSchema, type Kind, type Provider, providerOf, type Schema } from "../schema.ts";
import { applied, planned, unconfigurable } from "./decided.ts";
import { createPropagation } from "./propagation.ts";
import { replacingChanges } from "./replacement.ts";
import { schemaMessage, schemaMessages } from "./schema-messages.ts";
import { decoded, encoded, isValue, type Value } from "./values.ts";

/** Of the provider's own arguments, those that the modules set. */
const CONFIGURATION: BlockSchema = {
  attributes: { project: "optional string", region: "optional string" },
  blocks: {},
};

type Types = Pick<Schema, Kind>;

const DEFINITION = fileURLToPath(new URL("./plugin.proto", import.meta.url));

/**
 * Serves the providers for as long as `work` takes. They know the types of the extract, and the resources
 * that they make exist in Terraform's state alone. `environment` leads a terraform to them. A new resource
 * takes its time to be of use, unless it `arrivesAtOnce`.
 */
export async function withStandIn<T>(
  schema: Schema,
  work: (environment: NodeJS.ProcessEnv) => Promise<T>,
  { arrivesAtOnce = false } = {},
): Promise<T> {
  const propagation = createPropagation(arrivesAtOnce);
  const servers = schema.providers.map((provider) => {
    const server = new grpc.Server();
    server.addService(serviceDefinition(), handlers(typesOf(provider, schema), propagation));
    return { provider, server };
  });
  try {
    const reattachments = await Promise.all(
      servers.map(async ({ provider, server }) => reattachment(provider, await listen(server))),
    );
    return await work({ TF_REATTACH_PROVIDERS: JSON.stringify(Object.fromEntries(reattachments)) });
  } finally {
    for (const { server } of servers) server.forceShutdown();
  }
}

/**
 * Tells Terraform of a provider that runs already: it neither looks for it in a registry nor locks a version
 * of it.
 * https://developer.hashicorp.com/terraform/plugin/debugging#starting-a-provider-in-debug-mode
 */
function reattachment({ source }: Provider, port: number): [string, object] {
  return [
    `registry.terraform.io/${source}`,
    {
      Protocol: "grpc",
      ProtocolVersion: 5,
      Pid: process.pid,
      Test: true,
      Addr: { Network: "tcp", String: `127.0.0.1:${port}` },
    },
  ];
}

function typesOf(provider: Provider, schema: Schema): Types {
  const own = (types: Types[Kind]) =>
    Object.fromEntries(Object.entries(types).filter(([type]) => providerOf(schema, type) === provider));
  return { resource: own(schema.resource), data: own(schema.data) };
}

function serviceDefinition(): grpc.ServiceDefinition {
  const definition = loader.loadSync(DEFINITION, { keepCase: true })["tfplugin5.Provider"];
  if (definition === undefined || "format" in definition) throw new Error(`${DEFINITION} has no service`);
  return definition;
}

interface Request {
  readonly type_name: string;
  readonly config: Encoded;
  readonly current_state: Encoded;
  readonly planned_state: Encoded;
  readonly prior_state: Encoded;
  readonly proposed_new_state: Encoded;
  readonly raw_state: { readonly json: Buffer };
}

interface Encoded {
  readonly msgpack: Uint8Array;
}

function handlers(
  { resource, data }: Types,
  propagation: ReturnType<typeof createPropagation>,
): grpc.UntypedServiceImplementation {
  const schemaIn = (types: Types[Kind], type: string) => types[type] ?? { attributes: {}, blocks: {} };
  const accepted = () => ({});
  const validated = (types: Types[Kind], { type_name: type, config }: Request) => ({
    diagnostics: unconfigurable(decoded(config.msgpack) ?? {}, schemaIn(types, type)).map((name) => ({
      severity: "ERROR",
      summary: "Value for unconfigurable attribute",
      detail: `Can't configure a value for "${name}": its value will be decided automatically`,
    })),
  });
  const answers: Record<string, (request: Request) => object> = {
    GetSchema: () => ({
      provider: schemaMessage(CONFIGURATION),
      resource_schemas: schemaMessages(resource),
      data_source_schemas: schemaMessages(data),
    }),
    PrepareProviderConfig: ({ config }) => ({ prepared_config: config }),
    ValidateResourceTypeConfig: (request) => validated(resource, request),
    ValidateDataSourceConfig: (request) => validated(data, request),
    Configure: accepted,
    UpgradeResourceState: ({ type_name: type, raw_state: { json } }) => ({
      upgraded_state: {
        json: Buffer.from(JSON.stringify(upgraded(JSON.parse(json.toString()), schemaIn(resource, type)))),
      },
    }),
    ReadResource: ({ current_state: state }) => ({ new_state: state }),
    PlanResourceChange: ({ type_name: type, prior_state: prior, proposed_new_state: proposed }) => {
      const schema = schemaIn(resource, type);
      const before = decoded(prior.msgpack);
      const after = decoded(proposed.msgpack);
      if (before === null) return { planned_state: changed(proposed, (value) => planned(value, schema)) };
      const replacing = after === null ? [] : replacingChanges(type, schema, before, after);
      return {
        planned_state: proposed,
        requires_replace: replacing.map((name) => ({ steps: [{ attribute_name: name }] })),
      };
    },
    ApplyResourceChange: ({ type_name: type, prior_state: prior, planned_state: plan }) => {
      const before = decoded(prior.msgpack);
      const after = decoded(plan.msgpack);
      const refusal = before === null && after !== null ? propagation.refusal(type, after) : undefined;
      if (refusal !== undefined)
        return { new_state: prior, diagnostics: [{ severity: "ERROR", summary: refusal }] };
      const state = changed(plan, (value) => applied(type, value, schemaIn(resource, type)));
      if (before === null && after !== null) propagation.made(type, decoded(state.msgpack) ?? {});
      return { new_state: state };
    },
    ReadDataSource: ({ type_name: type, config }) => {
      const schema = schemaIn(data, type);
      return { state: changed(config, (value) => applied(type, planned(value, schema), schema)) };
    },
    Stop: accepted,
  };
  return Object.fromEntries(Object.entries(answers).map(([name, answer]) => [name, unary(answer)]));
}

function unary(answer: (request: Request) => object): grpc.handleUnaryCall<Request, object> {
  return ({ request }, done) => done(null, answer(request));
}

/**
 * As the provider's SDK does it: what this version does not know any more is left out of the state that an
 * older one wrote.
 */
function upgraded(state: Value, schema: BlockSchema): Value {
  const known = Object.entries(state).filter(([name]) => name in schema.attributes || name in schema.blocks);
  return Object.fromEntries(
    known.map(([name, value]) => {
      const block = schema.blocks[name];
      if (block === undefined || !Array.isArray(value)) return [name, value];
      return [name, value.map((each) => (isValue(each) ? upgraded(each, block) : each))];
    }),
  );
}

/** A resource that Terraform is to delete is null, and stays that. */
function changed({ msgpack }: Encoded, change: (value: Value) => Value): Encoded {
  const value = decoded(msgpack);
  return encoded(value === null ? null : change(value));
}

async function listen(server: grpc.Server): Promise<number> {
  return await new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}
