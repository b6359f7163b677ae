import { hash } from "node:crypto";
import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { ModeName } from "@petak/protocol";

/** What a body that came with a test key has beside. */
const ofTest = Buffer.from("test");
const ofLive = Buffer.alloc(0);

/**
 * What tells one request body from another: the first 16 bytes of the SHA-256 of its message, whatever encoding it came in.
 *
 * @param mode where the same body means something else in the other network: that of the caller's key
 */
export function fingerprintOf<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>, mode: ModeName = "live"): Buffer {
  // With what is not known of it: two bodies that differ only there are two.
  const bytes = toBinary(schema, message, { writeUnknownFields: true });
  return hash("sha256", Buffer.concat([Buffer.from(schema.typeName), bytes, mode === "test" ? ofTest : ofLive]), "buffer").subarray(0, 16);
}
