import type { DescMessage, MessageShape } from "@bufbuild/protobuf";

/**
 * Encodes answers of one type as `toJsonString` and `toBinary` do, to the byte, and faster: for calls that are made so often that their
 * encoding counts. Bytes that it gives hold until it encodes the next answer: whoever wants them for longer copies them.
 */
export interface AnswerEncoder<Desc extends DescMessage = DescMessage> {
  readonly schema: Desc;
  /** JSON in UTF-8. Undefined where the message has something that this encoder does not know. */
  json(message: MessageShape<Desc>): Uint8Array | undefined;
  /** Undefined where the message has something that this encoder does not know. */
  binary(message: MessageShape<Desc>): Uint8Array | undefined;
}
