import type { DescMessage, MessageShape } from "@bufbuild/protobuf";

/**
 * Encodes the answers of one type exactly as `toJsonString` and `toBinary` do, only faster. The bytes are valid until the next answer is
 * encoded; copy them to keep them longer.
 */
export interface AnswerEncoder<Desc extends DescMessage = DescMessage> {
  readonly schema: Desc;
  /** Returns JSON in UTF-8. Undefined if the message holds something that this encoder does not support. */
  json(message: MessageShape<Desc>): Uint8Array | undefined;
  /** Returns Protobuf. Undefined if the message holds something that this encoder does not support. */
  binary(message: MessageShape<Desc>): Uint8Array | undefined;
}
