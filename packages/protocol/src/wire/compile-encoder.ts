import {
  type DescField,
  type DescMessage,
  isFieldSet,
  type Message,
  type MessageShape,
  ScalarType,
  type UnknownField,
} from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { createByteWriter } from "./byte-writer.ts";

/** Encodes messages of one type to the same bytes as the library's `toBinary`. Unknown fields are omitted unless `writeUnknownFields` is true. */
export type MessageEncoder<Desc extends DescMessage> = (message: MessageShape<Desc>, options?: { writeUnknownFields: boolean }) => Buffer;

type WriteValue = (value: unknown) => void;
type WriteMessage = (message: Message) => void;

const writer = createByteWriter();

/** Whether unknown fields are written. Global state is safe here, because an encoder never awaits. */
let writesUnknown = false;

const compiled = new Map<DescMessage, WriteMessage>();

/**
 * Compiles an encoder for one type. It takes a fraction of the library's time, because all messages share one buffer and no list of chunks is built. Use it for
 * messages of the hot path, and the library for all others.
 *
 * @throws {TypeError} if the type, or one nested in it, has a map, a group, or a scalar type that the protocol does not use.
 */
export function compileEncoder<Desc extends DescMessage>(schema: Desc): MessageEncoder<Desc> {
  const write = compileMessage(schema);
  return (message, { writeUnknownFields } = { writeUnknownFields: false }) => {
    writer.reset();
    writesUnknown = writeUnknownFields;
    write(message);
    return writer.finish();
  };
}

function compileMessage(schema: DescMessage): WriteMessage {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const fields: WriteMessage[] = [];
  const write = (message: Message): void => {
    for (const field of fields) field(message);
    if (writesUnknown && message.$unknown !== undefined) writeUnknown(message.$unknown);
  };
  // Registered before its fields are compiled, because a message may contain its own type.
  compiled.set(schema, write);
  for (const field of schema.fields.toSorted((a, b) => a.number - b.number)) fields.push(compileField(field));
  return write;
}

function writeUnknown(fields: readonly UnknownField[]): void {
  for (const { no, wireType, data } of fields) {
    writer.varint(no * 8 + wireType);
    writer.raw(data);
  }
}

function compileField(field: DescField): WriteMessage {
  const name = field.localName as keyof Message;
  if (field.fieldKind === "map") throw new TypeError(`${field} is a map, for which there is no compiled encoder`);
  if (field.fieldKind === "list") return compileList(field, name);
  const writeValue = tagged(field.number, singleValue(field));
  if (field.oneof !== undefined) {
    const oneof = field.oneof.localName as keyof Message;
    return (message) => {
      const chosen = message[oneof] as unknown as { case?: string; value?: unknown };
      if (chosen.case === field.localName) writeValue(chosen.value);
    };
  }
  if (field.fieldKind === "message") {
    return (message) => {
      const value: unknown = message[name];
      if (value !== undefined) writeValue(value);
    };
  }
  if (field.presence !== FeatureSet_FieldPresence.IMPLICIT) {
    return (message) => {
      if (isFieldSet(message, field as never)) writeValue(message[name]);
    };
  }
  if (field.fieldKind === "scalar" && field.scalar === ScalarType.BYTES) {
    return (message) => {
      if ((message[name] as unknown as Uint8Array).length > 0) writeValue(message[name]);
    };
  }
  const zero = zeroOf(field);
  return (message) => {
    const value: unknown = message[name];
    // Negative zero is written: only positive zero is the default.
    if (!Object.is(value, zero)) writeValue(value);
  };
}

function zeroOf(field: DescField): unknown {
  if (field.fieldKind === "enum") return field.enum.values[0]?.number;
  switch (field.scalar) {
    case ScalarType.STRING:
      return "";
    case ScalarType.BOOL:
      return false;
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return 0n;
    default:
      return 0;
  }
}

function compileList(field: DescField & { fieldKind: "list" }, name: keyof Message): WriteMessage {
  const element = elementOf(field);
  if (!field.packed) {
    const writeValue = tagged(field.number, element);
    return (message) => {
      for (const value of message[name] as unknown as readonly unknown[]) writeValue(value);
    };
  }
  const tag = field.number * 8 + WireType.LengthDelimited;
  return (message) => {
    const list = message[name] as unknown as readonly unknown[];
    if (list.length === 0) return;
    writer.varint(tag);
    writer.lengthDelimited(() => {
      for (const value of list) element.write(value);
    });
  };
}

/** How a value is written, without its tag. */
interface Value {
  wireType: WireType;
  write: WriteValue;
}

function elementOf(field: DescField & { fieldKind: "list" }): Value {
  if (field.listKind === "message") return messageValue(field.message, field.delimitedEncoding);
  return field.listKind === "enum" ? enumValue : scalarValue(field.scalar);
}

function singleValue(field: DescField & { fieldKind: "scalar" | "enum" | "message" }): Value {
  if (field.fieldKind === "message") return messageValue(field.message, field.delimitedEncoding);
  return field.fieldKind === "enum" ? enumValue : scalarValue(field.scalar);
}

function tagged(number: number, { wireType, write }: Value): WriteValue {
  const tag = number * 8 + wireType;
  return (value) => {
    writer.varint(tag);
    write(value);
  };
}

function messageValue(schema: DescMessage, isGroup: boolean): Value {
  if (isGroup) throw new TypeError(`${schema} is a group, for which there is no compiled encoder`);
  const write = compileMessage(schema);
  return {
    wireType: WireType.LengthDelimited,
    write: (value) => writer.lengthDelimited(() => write(value as Message)),
  };
}

const enumValue: Value = { wireType: WireType.Varint, write: (value) => writeInt32(value as number) };

function writeInt32(value: number): void {
  if (value >= 0) writer.varint(value);
  else writer.varint64(BigInt(value));
}

const largestExact = BigInt(Number.MAX_SAFE_INTEGER);

function writeInt64(value: bigint): void {
  if (value >= 0n && value <= largestExact) writer.varint(Number(value));
  else writer.varint64(value);
}

/** The scalar types that the protocol uses. */
const scalars: Partial<Record<ScalarType, Value>> = {
  [ScalarType.DOUBLE]: { wireType: WireType.Bit64, write: (value) => writer.double(value as number) },
  [ScalarType.INT32]: { wireType: WireType.Varint, write: (value) => writeInt32(value as number) },
  [ScalarType.UINT32]: { wireType: WireType.Varint, write: (value) => writer.varint(value as number) },
  [ScalarType.INT64]: { wireType: WireType.Varint, write: (value) => writeInt64(value as bigint) },
  [ScalarType.UINT64]: { wireType: WireType.Varint, write: (value) => writeInt64(value as bigint) },
  [ScalarType.BOOL]: { wireType: WireType.Varint, write: (value) => writer.varint(value === true ? 1 : 0) },
  [ScalarType.STRING]: { wireType: WireType.LengthDelimited, write: (value) => writer.text(value as string) },
  [ScalarType.BYTES]: {
    wireType: WireType.LengthDelimited,
    write(value) {
      writer.varint((value as Uint8Array).length);
      writer.raw(value as Uint8Array);
    },
  },
};

function scalarValue(type: ScalarType): Value {
  const value = scalars[type];
  if (value === undefined) throw new TypeError(`there is no compiled encoder for ${ScalarType[type]}`);
  return value;
}
