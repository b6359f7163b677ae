import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";

/** Encodes a message for the store. Unknown fields are dropped: otherwise participants could use the store for arbitrary data. */
export function storedBytes<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Buffer {
  const { buffer, byteOffset, byteLength } = toBinary(schema, message, { writeUnknownFields: false });
  return Buffer.from(buffer, byteOffset, byteLength);
}
