import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";

/** The bytes of a message as it is stored: without the fields that its schema does not have, which would make the store one for anything. */
export function storedBytes<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Buffer {
  const { buffer, byteOffset, byteLength } = toBinary(schema, message, { writeUnknownFields: false });
  return Buffer.from(buffer, byteOffset, byteLength);
}
