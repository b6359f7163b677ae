import type { DescMessage, MessageShape } from "@bufbuild/protobuf";

/**
 * Encodes answers of one type as `toJsonString` and `toBinary` do, to the byte, and faster: for calls that are made so often that their
 * encoding counts. Bytes that it gives hold until it encodes the next answer: whoever wants them for longer copies them.
 *
 * @typeParam Json How JSON is given.
 */
export interface AnswerEncoder<Desc extends DescMessage = DescMessage, Json extends string | Uint8Array = string> {
  readonly schema: Desc;
  /** A text, or its bytes in UTF-8. Undefined where the message has something that this encoder does not know. */
  json(message: MessageShape<Desc>): Json | undefined;
  /** Undefined where the message has something that this encoder does not know. */
  binary(message: MessageShape<Desc>): Uint8Array | undefined;
}

/** An encoder of any type's answers. */
export type AnyAnswerEncoder = AnswerEncoder<DescMessage, string | Uint8Array>;
