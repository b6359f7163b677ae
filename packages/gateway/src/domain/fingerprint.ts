import { hash } from "node:crypto";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { compileEncoder, type MessageEncoder } from "@petak/protocol";

/** What is hashed of each type: its name, and after it the message. */
const parts = new Map<DescMessage, { name: Buffer; encode: MessageEncoder<DescMessage> }>();

/** What tells one request body from another: the first 16 bytes of the SHA-256 of its message, whatever encoding it came in. */
export function fingerprintOf<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Buffer {
  let part = parts.get(schema);
  if (part === undefined) {
    part = { name: Buffer.from(schema.typeName), encode: compileEncoder<DescMessage>(schema) };
    parts.set(schema, part);
  }
  // With what is not known of it: two bodies that differ only there are two.
  const bytes = part.encode(message, { writeUnknownFields: true });
  return hash("sha256", Buffer.concat([part.name, bytes]), "buffer").subarray(0, 16);
}
