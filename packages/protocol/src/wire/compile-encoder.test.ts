import { create, type DescField, type DescMessage, type Message, ScalarType, toBinary } from "@bufbuild/protobuf";
import { StructSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as protocol from "../index.ts";
import { compileEncoder } from "./compile-encoder.ts";

const schemas = (Object.values(protocol) as unknown[]).filter(
  (value): value is DescMessage => typeof value === "object" && value !== null && "kind" in value && value.kind === "message",
);

/** Messages nested deeper stay empty, because some types contain themselves. */
const deepest = 4;

function messageOf(schema: DescMessage, depth = 0): fc.Arbitrary<Message> {
  const fields = depth < deepest ? schema.fields : [];
  const values = fc.record(Object.fromEntries(fields.map((field) => [field.localName, fieldOf(field, depth)])), { requiredKeys: [] });
  const unknown = fc.constantFrom(undefined, [{ no: 1999, wireType: 0, data: Uint8Array.of(1) }]);
  return fc.tuple(values, unknown).map(([given, $unknown]) => {
    const message = create(schema);
    for (const field of fields) {
      const value = given[field.localName];
      if (value === undefined) continue;
      if (field.oneof === undefined) Object.assign(message, { [field.localName]: value });
      else Object.assign(message, { [field.oneof.localName]: { case: field.localName, value } });
    }
    if ($unknown !== undefined) message.$unknown = [...$unknown];
    return message;
  });
}

function fieldOf(field: DescField, depth: number): fc.Arbitrary<unknown> {
  switch (field.fieldKind) {
    case "message":
      return messageOf(field.message, depth + 1);
    case "enum":
      return fc.constantFrom(0, 1, 2, 77, -1);
    case "scalar":
      return scalarOf(field.scalar);
    case "list":
      if (field.listKind === "message") return fc.array(messageOf(field.message, depth + 1), { maxLength: 3 });
      return fc.array(field.listKind === "enum" ? fc.constantFrom(0, 1, 300) : scalarOf(field.scalar), { maxLength: 5 });
    case "map":
      throw new TypeError(`${field} is a map`);
  }
}

function scalarOf(type: ScalarType): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return fc.oneof(
        fc.string({ maxLength: 200 }),
        fc.string({ unit: "grapheme", maxLength: 200 }),
        fc.string({ minLength: 100, maxLength: 300 }),
      );
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 300 });
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.DOUBLE:
      return fc.double();
    case ScalarType.INT32:
      return fc.integer();
    case ScalarType.UINT32:
      return fc.nat(0xffffffff);
    case ScalarType.INT64:
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case ScalarType.UINT64:
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    default:
      throw new TypeError(`no values for ${ScalarType[type]}`);
  }
}

describe("a compiled encoder", () => {
  it("compiles for every message of the protocol", () => {
    expect(schemas.length).toBeGreaterThan(50);
    for (const schema of schemas) expect(() => compileEncoder(schema)).not.toThrow();
  });

  it.each(schemas.map((schema) => [schema.name, schema]))("encodes %s to the library's bytes", (_name, schema) => {
    const encode = compileEncoder(schema);
    fc.assert(
      fc.property(messageOf(schema), fc.boolean(), (message, writeUnknownFields) => {
        expect(encode(message, { writeUnknownFields })).toEqual(Buffer.from(toBinary(schema, message, { writeUnknownFields })));
      }),
      { numRuns: 30 },
    );
  });

  it("encodes messages longer than its buffer, and short ones after them", () => {
    const encode = compileEncoder(protocol.ListEventsResponseSchema);
    for (const count of [2000, 1, 0]) {
      const message = create(protocol.ListEventsResponseSchema, {
        events: Array.from({ length: count }, (_, index) => ({ eventId: `evt_${index}`, partnerReference: "é".repeat(100) })),
      });
      expect(encode(message)).toEqual(Buffer.from(toBinary(protocol.ListEventsResponseSchema, message)));
    }
  });

  it("is refused for types that the protocol does not use", () => {
    expect(() => compileEncoder(StructSchema)).toThrow("is a map");
  });
});
