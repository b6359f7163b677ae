import { hash } from "node:crypto";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { compileEncoder, type MessageEncoder } from "@petak/protocol";

const encoders = new Map<DescMessage, MessageEncoder<DescMessage>>();

/** What tells one request body from another: the first 16 bytes of the SHA-256 of its message, whatever encoding it came in. */
export function fingerprintOf<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Buffer {
  let encode = encoders.get(schema);
  if (encode === undefined) {
    encode = compileEncoder<DescMessage>(schema);
    encoders.set(schema, encode);
  }
  // With what is not known of it: two bodies that differ only there are two.
  const bytes = encode(message, { writeUnknownFields: true });
  return hash("sha256", Buffer.concat([Buffer.from(schema.typeName), bytes]), "buffer").subarray(0, 16);
}
