import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";

/** Gives the library's own encoder. */
export function compileEncoder<Desc extends DescMessage>(schema: Desc): (message: MessageShape<Desc>, options?: object) => Buffer {
  return (message, options = { writeUnknownFields: false }) => {
    const { buffer, byteOffset, byteLength } = toBinary(schema, message, options);
    return Buffer.from(buffer, byteOffset, byteLength);
  };
}
