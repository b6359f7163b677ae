import { type DescMethod, type DescService, hasOption } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { codeToHttpStatus } from "@connectrpc/connect/protocol-connect";
import { type CatalogueEntry, catalogue } from "../errors/catalogue.ts";
import { codeName } from "../errors/code-name.ts";
import { errorDomain } from "../errors/error-domain.ts";
import { retryWords } from "../errors/errors-page.ts";
import { comments } from "../gen/comments.ts";
import { proof } from "../gen/petak/v1/proof_pb.ts";
import { mayNeedProof } from "../proof/needs-proof.ts";
import { schemaName, schemasOf } from "./message-schema.ts";
import type { JsonSchema } from "./value-schema.ts";

/** What a description cannot read from the descriptors. */
export interface OpenApiOptions {
  /** The version of the description, e.g. `1.0`. */
  readonly version: string;
  /** Whether strangers may make a call. Default: none may. @param method its full name, e.g. `petak.v1.AgentService/Enrol` */
  readonly isOpen?: (service: DescService, method: string) => boolean;
}

/** An OpenAPI 3.1 description of the unary calls of services, as JSON over HTTP. */
export function openApiOf(services: readonly DescService[], { version, isOpen = () => false }: OpenApiOptions): JsonSchema {
  const methods = services.flatMap((service) => service.methods.filter(isUnary));
  const streams = services.flatMap((service) => service.methods.filter((method) => !isUnary(method)));
  return {
    openapi: "3.1.0",
    info: {
      title: "Petak",
      summary: "Parcel lockers and collection points, for any courier, shop and consumer.",
      version,
      license: { name: "Apache 2.0", identifier: "Apache-2.0" },
      description: introduction(streams),
    },
    servers: [{ url: "/", description: "The gateway that serves this description." }],
    security: [{ bearer: [] }],
    tags: services.map((service) => ({ name: service.name, description: comments[service.typeName] ?? service.name })),
    paths: Object.fromEntries(methods.map((method) => [pathOf(method), operationsOf(method, isOpen(method.parent, nameOf(method)))])),
    components: {
      securitySchemes: { bearer: bearerScheme },
      parameters,
      responses: Object.fromEntries(errorStatuses.map((status) => [`Error${status}`, errorResponse(status)])),
      schemas: {
        ...schemasOf(
          methods.flatMap(({ input, output }) => [input, output]),
          { names: "json", refTo },
        ),
        ...errorSchemas(),
      },
    },
  };
}

function isUnary({ methodKind }: DescMethod): boolean {
  return methodKind === "unary";
}

function nameOf({ parent, name }: DescMethod): string {
  return `${parent.typeName}/${name}`;
}

function pathOf(method: DescMethod): string {
  return `/${nameOf(method)}`;
}

function refTo(name: string): string {
  return `#/components/schemas/${name}`;
}

function introduction(streams: readonly DescMethod[]): string {
  return [
    "Each call is a POST of a JSON message to the path of its method, by the Connect protocol. Calls that change nothing may also be made by GET, so that caches keep their answers.",
    "In JSON a field that is absent has its default: `false`, 0, empty, or the first value of an enum. Unknown fields of a request are refused. Integers of 64 bits are strings, bytes are Base64, times are RFC 3339 in UTC, and durations are seconds such as `90s`. New fields may appear in answers, and lists of values grow.",
    "Rules that JSON Schema cannot state are in the descriptions. The gateway checks them all, and names each field that breaks one.",
    `Streams are not described, because they are not plain JSON: ${streams.map((method) => `\`${nameOf(method)}\``).join(", ")}. gRPC and gRPC-Web are served at the same address; server reflection describes them.`,
  ].join("\n\n");
}

const bearerScheme = {
  type: "http",
  scheme: "bearer",
  bearerFormat: "JWT",
  description:
    "A request token: a JWT that a participant signs itself with a key that it has registered (EdDSA; `iss` is the participant, `aud` the gateway's audience, at most 10 minutes). For calls that every key may make, also a publishable key, `pk_live_…` or `pk_test_…`, on the web origins that it is made for.",
};

const parameters = {
  ConnectProtocolVersion: {
    name: "Connect-Protocol-Version",
    in: "header",
    description: "The version of the Connect protocol.",
    schema: { type: "string", enum: ["1"] },
  },
  ConnectTimeoutMs: {
    name: "Connect-Timeout-Ms",
    in: "header",
    description: "How long the caller waits, in ms. The gateway ends the call then.",
    schema: { type: "string", pattern: "^[0-9]{1,10}$" },
  },
  Proof: {
    name: "DPoP",
    in: "header",
    description:
      "A proof signed for this one call, in the form of RFC 9449. Without it a call that needs one fails with PROOF_REQUIRED. The page on credentials has the form.",
    schema: { type: "string" },
  },
} as const;

const parameterRef = (name: keyof typeof parameters) => ({ $ref: `#/components/parameters/${name}` });

function operationsOf(method: DescMethod, isOpen: boolean): JsonSchema {
  const description = comments[nameOf(method).replace("/", ".")] ?? "";
  const needsProof = hasOption(method, proof) && mayNeedProof(method);
  const common = {
    tags: [method.parent.name],
    summary: firstSentence(description) || method.name,
    description: needsProof ? `${description}\n\nNeeds a proof signed for the call, always or for some requests.` : description,
    ...(isOpen ? { security: [] } : {}),
    responses: {
      "200": {
        description: comments[method.output.typeName] ?? "The answer.",
        content: { "application/json": { schema: { $ref: refTo(schemaName(method.output)) } } },
      },
      ...Object.fromEntries(errorStatuses.map((status) => [String(status), { $ref: `#/components/responses/Error${status}` }])),
    },
  };
  const message = { schema: { $ref: refTo(schemaName(method.input)) } };
  const headers = [parameterRef("ConnectTimeoutMs"), ...(needsProof ? [parameterRef("Proof")] : [])];
  const post = {
    operationId: `${method.parent.name}_${method.name}`,
    ...common,
    parameters: [parameterRef("ConnectProtocolVersion"), ...headers],
    requestBody: { required: true, content: { "application/json": message } },
  };
  if (method.idempotency !== MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS) return { post };
  const query = (name: string, schema: JsonSchema) => ({ name, in: "query", required: true, schema, description: queryWords[name] });
  return {
    get: {
      operationId: `${method.parent.name}_${method.name}_get`,
      ...common,
      parameters: [
        ...headers,
        query("connect", { type: "string", enum: ["v1"] }),
        query("encoding", { type: "string", enum: ["json"] }),
        { name: "message", in: "query", required: true, description: "The request message.", content: { "application/json": message } },
      ],
    },
    post,
  };
}

const queryWords: Readonly<Record<string, string>> = {
  connect: "The version of the Connect protocol.",
  encoding: "The form of `message`.",
};

function firstSentence(text: string): string {
  return /^.*?[.](?= |\n|$)/.exec(text)?.[0].replace(/\.$/, "") ?? "";
}

const entries: [string, CatalogueEntry][] = Object.entries(catalogue);

function statusesOf({ code, otherStatuses = [] }: CatalogueEntry): number[] {
  return [codeToHttpStatus(code), ...otherStatuses];
}

const errorStatuses = [...new Set(entries.flatMap(([, entry]) => statusesOf(entry)))].sort((a, b) => a - b);

function errorResponse(status: number): JsonSchema {
  const reasons = entries.filter(([, entry]) => statusesOf(entry).includes(status));
  return {
    description: `One of these reasons:\n\n${reasons.map(([reason, { meaning, remedy, retry }]) => `- \`${reason}\`: ${meaning} ${remedy} Does a retry help? ${retryWords[retry]}.`).join("\n")}`,
    content: { "application/json": { schema: { $ref: refTo("Error") } } },
  };
}

function errorSchemas(): Record<string, JsonSchema> {
  return {
    Error: {
      type: "object",
      description: "An error. Decide by the `reason` of the first detail, not by the message, which is for people and may change.",
      required: ["code"],
      properties: {
        code: {
          type: "string",
          description: "The code, in the words of Connect.",
          examples: ["invalid_argument"],
          "x-extensible-enum": [...new Set(entries.map(([, { code }]) => codeName(code).toLowerCase()))],
        },
        message: { type: "string", description: "What is wrong, for people: the value, the limit and what to do." },
        details: { type: "array", items: { $ref: refTo("ErrorDetail") } },
      },
    },
    ErrorDetail: {
      type: "object",
      required: ["type", "value"],
      properties: {
        type: {
          type: "string",
          examples: ["google.rpc.ErrorInfo", "google.rpc.BadRequest", "google.rpc.PreconditionFailure", "google.rpc.RetryInfo"],
        },
        reason: {
          type: "string",
          description: "The reason, a constant. Only in the first detail, the ErrorInfo.",
          "x-extensible-enum": entries.map(([reason]) => reason),
        },
        field: {
          type: "string",
          description: "The first invalid field, e.g. `origin.latitude`. Only beside `reason`, and only if a field is invalid.",
        },
        retryAfterMs: {
          type: "integer",
          description:
            "After how many ms the same request may be sent again. Only beside `reason`, and only if a retry helps after that long.",
        },
        value: { type: "string", contentEncoding: "base64", description: "The message in Protobuf's binary form." },
        debug: {
          type: "object",
          additionalProperties: true,
          description: `The same message in JSON. That of an ErrorInfo has the \`reason\` and the domain \`${errorDomain}\`.`,
        },
      },
    },
  };
}
