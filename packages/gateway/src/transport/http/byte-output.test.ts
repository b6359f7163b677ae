import { BinaryWriter } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteOutput, varintBytes } from "./byte-output.ts";

const uint32 = fc.oneof(fc.constantFrom(0, 1, 9, 10, 127, 128, 16_383, 16_384, 0xffffffff), fc.integer({ min: 0, max: 0xffffffff }));
const text = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.constantFrom("\ud800", "Café 停车场"),
);

describe("ByteOutput", () => {
  it("holds everything written, whatever its initial capacity", () => {
    const part = fc.oneof(
      fc.record({ kind: fc.constant("bytes" as const), value: fc.uint8Array({ maxLength: 60 }) }),
      fc.record({ kind: fc.constant("utf8" as const), value: text }),
      fc.record({ kind: fc.constant("decimal" as const), value: uint32 }),
      fc.record({ kind: fc.constant("varint" as const), value: uint32 }),
      fc.record({ kind: fc.constant("double" as const), value: fc.double() }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
        const output = new ByteOutput(1);
        const expected: Uint8Array[] = [];
        for (const { kind, value } of parts) {
          if (kind === "bytes") {
            output.bytes(value);
            expected.push(value);
          } else if (kind === "utf8") {
            output.utf8(value);
            expected.push(Buffer.from(value));
          } else if (kind === "decimal") {
            output.decimal(value);
            expected.push(Buffer.from(String(value)));
          } else if (kind === "varint") {
            output.varint(value);
            expected.push(new BinaryWriter().uint32(value).finish());
          } else {
            output.double(value);
            expected.push(new BinaryWriter().double(value).finish());
          }
        }
        expect(output.written).toEqual(Buffer.concat(expected));
      }),
    );
  });

  it("writes each Latin-1 character as one byte, in short and long texts", () => {
    const all = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code));
    const output = new ByteOutput();
    for (const part of [all, "\u00ff", ""]) output.latin1(part);
    expect(output.written).toEqual(Buffer.from(`${all}\u00ff`, "latin1"));
  });

  it("is empty after it is cleared", () => {
    const output = new ByteOutput();
    output.latin1("before");
    output.clear().latin1("after");
    expect(output.written.toString()).toBe("after");
  });

  it("returns the length of a varint", () => {
    fc.assert(
      fc.property(uint32, (number) => {
        expect(varintBytes(number)).toBe(new BinaryWriter().uint32(number).finish().length);
      }),
    );
  });
});
