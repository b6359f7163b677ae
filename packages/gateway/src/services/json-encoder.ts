import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type Message,
  type MessageShape,
  ScalarType,
  toJsonString,
} from "@bufbuild/protobuf";
import { type Duration, DurationSchema, FeatureSet_FieldPresence, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { createLastEncoding } from "./encodings.ts";
import { textJson, timestampJson } from "./json-text.ts";

type ToJson = (value: unknown) => string;

/** How a field is written. */
interface FieldJson {
  name: keyof Message;
  /** Its key and the colon. */
  start: string;
  /** The value that is left out. */
  unset: unknown;
  /** Empty where there is nothing to write. */
  toJson: ToJson;
}

const timestamps = createLastEncoding(TimestampSchema, timestampJson);

/**
 * Makes an encoder that writes a message as `toJsonString` does, in a fraction of the time: for messages of texts, numbers of 32 bits, truth
 * values, enums, times, durations, messages of those, and lists of texts, of enums and of messages. Messages that are in them must not change.
 *
 * @throws {TypeError} where a field of the type, or of one in it, is anything else.
 */
export function compileJsonEncoder<Desc extends DescMessage>(schema: Desc): (message: MessageShape<Desc>) => string {
  return compileMessage(schema) as (message: MessageShape<Desc>) => string;
}

function compileMessage(schema: DescMessage): ToJson {
  const fields = schema.fields.map(compileField);
  return (message) => {
    let text = "";
    for (const { name, start, unset, toJson } of fields) {
      const value: unknown = (message as Message)[name];
      if (value === unset) continue;
      const json = toJson(value);
      if (json !== "") text += `,${start}${json}`;
    }
    return `{${text.slice(1)}}`;
  };
}

function compileField(field: DescField): FieldJson {
  const common = { name: field.localName as keyof Message, start: `${JSON.stringify(field.jsonName)}:` };
  if (field.oneof !== undefined) throw cannotWrite(field);
  if (field.fieldKind === "message") return { ...common, unset: undefined, toJson: messageJson(field.message) };
  if (field.fieldKind === "list" && field.listKind === "enum")
    return { ...common, unset: undefined, toJson: listJson(enumJson(field.enum)) };
  if (field.fieldKind === "list" && field.listKind === "message")
    return { ...common, unset: undefined, toJson: listJson(messageJson(field.message)) };
  if (field.fieldKind === "list" && field.listKind === "scalar" && field.scalar === ScalarType.STRING)
    return { ...common, unset: undefined, toJson: listJson((value) => textJson(value as string)) };
  if (field.presence !== FeatureSet_FieldPresence.IMPLICIT) throw cannotWrite(field);
  if (field.fieldKind === "enum") return { ...common, unset: field.enum.values[0]?.number, toJson: enumJson(field.enum) };
  if (field.fieldKind !== "scalar") throw cannotWrite(field);
  switch (field.scalar) {
    case ScalarType.STRING:
      return { ...common, unset: "", toJson: (value) => textJson(value as string) };
    case ScalarType.BOOL:
      return { ...common, unset: false, toJson: String };
    case ScalarType.UINT32:
      return { ...common, unset: 0, toJson: String };
    case ScalarType.INT64:
      return { ...common, unset: 0n, toJson: (value) => `"${value}"` };
    default:
      throw cannotWrite(field);
  }
}

function messageJson(schema: DescMessage): ToJson {
  if (schema.typeName === TimestampSchema.typeName) return timestamps.json as ToJson;
  if (schema.typeName === DurationSchema.typeName) return (value) => toJsonString(DurationSchema, value as Duration);
  if (schema.typeName.startsWith("google.protobuf.")) throw new TypeError(`${schema} has a JSON form of its own`);
  return compileMessage(schema);
}

/** The name of a value, or its number where it has none. */
function enumJson({ values }: DescEnum): ToJson {
  const names = new Map<unknown, string>(values.map(({ name, number }) => [number, JSON.stringify(name)]));
  return (value) => names.get(value) ?? String(value);
}

function listJson(elementJson: ToJson): ToJson {
  return (list) => {
    let text = "";
    for (const element of list as readonly unknown[]) text += `,${elementJson(element)}`;
    return text === "" ? "" : `[${text.slice(1)}]`;
  };
}

function cannotWrite(field: DescField): TypeError {
  return new TypeError(`there is no JSON encoder for ${field}`);
}
