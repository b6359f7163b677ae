import { hash } from "node:crypto";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { ModeName } from "@petak/protocol";
import { compileEncoder, type MessageEncoder } from "@petak/protocol/wire";

/** What is hashed of each type: its name, and after it the message. */
const parts = new Map<DescMessage, { name: Buffer; encode: MessageEncoder<DescMessage> }>();

/** What a body that came with a test key has beside. */
const ofTest = Buffer.from("test");
const ofLive = Buffer.alloc(0);

/**
 * What tells one request body from another: the first 16 bytes of the SHA-256 of its message, whatever encoding it came in.
 *
 * @param mode where the same body means something else in the other network: that of the caller's key
 */
export function fingerprintOf<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>, mode: ModeName = "live"): Buffer {
  let part = parts.get(schema);
  if (part === undefined) {
    part = { name: Buffer.from(schema.typeName), encode: compileEncoder<DescMessage>(schema) };
    parts.set(schema, part);
  }
  // With what is not known of it: two bodies that differ only there are two.
  const bytes = part.encode(message, { writeUnknownFields: true });
  return hash("sha256", Buffer.concat([part.name, bytes, mode === "test" ? ofTest : ofLive]), "buffer").subarray(0, 16);
}
