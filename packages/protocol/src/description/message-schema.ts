import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type DescOneof,
  getOption,
  hasOption,
  isFieldSet,
  ScalarType,
} from "@bufbuild/protobuf";
import {
  field as fieldRulesOption,
  Ignore,
  message as messageRulesOption,
  oneof as oneofRulesOption,
  RepeatedRulesSchema,
} from "../gen/buf/validate/validate_pb.ts";
import { comments } from "../gen/comments.ts";
import { type JsonSchema, type ValueRules, valueSchema, violatesAsZero } from "./value-schema.ts";

/** How messages are described. */
export interface SchemaOptions {
  /** Fields by their JSON names (`siteId`), or by those of the schema (`site_id`). */
  readonly names: "json" | "proto";
  /** Where the schema of a message or enum is, by its name in {@link schemaName}. */
  refTo(name: string): string;
  /** Fields that are left out, e.g. `petak.v1.Site.intake`. Default: none. */
  readonly without?: ReadonlySet<string>;
}

/** The name of a type's schema, e.g. `Site`: the full name without the package. */
export function schemaName({ typeName }: DescMessage | DescEnum): string {
  return typeName.replace(/^petak\.v1\./, "");
}

/** JSON schemas (2020-12) of messages and of all that they contain, by {@link schemaName}, in alphabetical order. */
export function schemasOf(messages: Iterable<DescMessage>, options: SchemaOptions): Record<string, JsonSchema> {
  const schemas = new Map<string, JsonSchema>();
  const waiting: (DescMessage | DescEnum)[] = [...messages];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const name = schemaName(next);
    if (schemas.has(name)) continue;
    schemas.set(name, next.kind === "enum" ? enumSchema(next) : messageSchema(next, options));
    if (next.kind === "message") waiting.push(...namedTypesOf(next, options));
  }
  return Object.fromEntries([...schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function fieldsOf({ fields, typeName }: DescMessage, { without }: SchemaOptions): DescField[] {
  return fields.filter(({ name }) => without?.has(`${typeName}.${name}`) !== true);
}

function namedTypesOf(message: DescMessage, options: SchemaOptions): (DescMessage | DescEnum)[] {
  return fieldsOf(message, options)
    .flatMap((field) => field.message ?? field.enum ?? [])
    .filter((type) => !(type.typeName in wellKnown));
}

function messageSchema(message: DescMessage, options: SchemaOptions): JsonSchema {
  const fields = fieldsOf(message, options);
  const nameOf = (field: DescField): string => (options.names === "json" ? field.jsonName : field.name);
  const required = fields.filter(isRequired).map(nameOf);
  const choices = message.oneofs.map((oneof) => choiceOf(oneof, nameOf));
  const rules = hasOption(message, messageRulesOption) ? getOption(message, messageRulesOption).cel.map((cel) => cel.message) : [];
  const description = [comments[message.typeName] ?? "", ...rules.map((rule) => `Rule: ${rule}.`)]
    .filter((text) => text !== "")
    .join("\n\n");
  return {
    type: "object",
    ...(description === "" ? {} : { description }),
    properties: Object.fromEntries(fields.map((field) => [nameOf(field), fieldSchema(field, options)])),
    ...(required.length === 0 ? {} : { required }),
    ...(choices.length === 0 ? {} : { allOf: choices }),
  };
}

/** At most one field of a oneof is set; exactly one, if one is required. */
function choiceOf(oneof: DescOneof, nameOf: (field: DescField) => string): JsonSchema {
  const each = oneof.fields.map((field) => ({ required: [nameOf(field)] }));
  const isNeeded = hasOption(oneof, oneofRulesOption) && getOption(oneof, oneofRulesOption).required;
  const none = { properties: Object.fromEntries(oneof.fields.map((field) => [nameOf(field), false])) };
  return { oneOf: isNeeded ? each : [...each, none] };
}

/** Whether a valid message has the field in its JSON: without it the value would be zero, which a rule forbids. */
function isRequired(field: DescField): boolean {
  if (!hasOption(field, fieldRulesOption)) return false;
  const rules = getOption(field, fieldRulesOption);
  if (rules.required) return true;
  if (rules.ignore === Ignore.IF_ZERO_VALUE || field.oneof !== undefined || field.fieldKind === "message" || field.proto.proto3Optional)
    return false;
  return violatesAsZero(rules);
}

function fieldSchema(field: DescField, options: SchemaOptions): JsonSchema {
  const rules = hasOption(field, fieldRulesOption) ? getOption(field, fieldRulesOption) : undefined;
  const description = comments[`${field.parent.typeName}.${field.name}`];
  const described = description === undefined ? {} : { description };
  switch (field.fieldKind) {
    case "list": {
      const list = rules?.type.case === "repeated" ? rules.type.value : undefined;
      return {
        type: "array",
        ...described,
        items: elementSchema(field, list?.items, options),
        ...(list !== undefined && list.minItems > 0n ? { minItems: Number(list.minItems) } : {}),
        ...(list !== undefined && isFieldSet(list, RepeatedRulesSchema.field.maxItems) ? { maxItems: Number(list.maxItems) } : {}),
        ...(list?.unique === true ? { uniqueItems: true } : {}),
      };
    }
    case "map":
      return { type: "object", ...described, additionalProperties: elementSchema(field, undefined, options) };
    default:
      // Beside a reference the description is the field's own.
      return { ...elementSchema(field, rules, options), ...described };
  }
}

function elementSchema(field: DescField, rules: ValueRules | undefined, options: SchemaOptions): JsonSchema {
  const type = field.message ?? field.enum;
  if (type === undefined) return valueSchema(field.scalar ?? ScalarType.STRING, rules);
  return wellKnown[type.typeName] ?? { $ref: options.refTo(schemaName(type)) };
}

/** The names of the values. Lists grow, which the description says: a schema that forbade others would refuse a newer gateway. */
function enumSchema(type: DescEnum): JsonSchema {
  const lines = type.values.map(({ name }) => `- \`${name}\`: ${comments[`${type.typeName}.${name}`] ?? ""}`);
  return {
    type: "string",
    description: [
      comments[type.typeName] ?? "",
      lines.join("\n"),
      "The list may grow: read a value that is not in it as the first one.",
    ].join("\n\n"),
    examples: type.values.slice(0, 2).map(({ name }) => name),
    "x-extensible-enum": type.values.map(({ name }) => name),
  };
}

/** Messages that have a JSON form of their own. */
const wellKnown: Readonly<Record<string, JsonSchema>> = {
  "google.protobuf.Timestamp": { type: "string", format: "date-time" },
  "google.protobuf.Duration": { type: "string", pattern: "^-?[0-9]{1,12}(\\.[0-9]{1,9})?s$", examples: ["90s"] },
  "google.protobuf.Struct": { type: "object" },
  "google.protobuf.Empty": { type: "object" },
};
