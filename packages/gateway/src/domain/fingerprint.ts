import { createHash } from "node:crypto";
import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";

/** What tells one request body from another: the first 16 bytes of the SHA-256 of its message, whatever encoding it came in. */
export function fingerprintOf<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Buffer {
  return createHash("sha256").update(schema.typeName).update(toBinary(schema, message)).digest().subarray(0, 16);
}
