import { hash } from "node:crypto";
import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { ModeName } from "@petak/protocol";

/** Suffixes that distinguish the networks of two otherwise equal bodies. */
const ofTest = Buffer.from("test");
const ofLive = Buffer.alloc(0);

/**
 * Fingerprint of a request body: the first 16 bytes of the SHA-256 of its message. It is independent of the encoding in which the body was sent.
 *
 * @param mode network of the caller's key, if the same body means something else in the other network. Default `live`
 */
export function fingerprintOf<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>, mode: ModeName = "live"): Buffer {
  // Bodies that differ only in unknown fields are different.
  const bytes = toBinary(schema, message, { writeUnknownFields: true });
  return hash("sha256", Buffer.concat([Buffer.from(schema.typeName), bytes, mode === "test" ? ofTest : ofLive]), "buffer").subarray(0, 16);
}
