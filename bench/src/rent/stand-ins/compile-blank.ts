import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";

/** Gives the library's own messages. */
export function compileBlank<Desc extends DescMessage>(schema: Desc): () => MessageShape<Desc> {
  return () => create(schema);
}
