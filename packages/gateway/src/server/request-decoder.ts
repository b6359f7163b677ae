import type { DescMessage, MessageShape } from "@bufbuild/protobuf";

/**
 * Decodes requests of one type faster than `fromJsonString` and the schema's constraints do, where they are plain: for calls that are made
 * so often that it counts.
 */
export interface RequestDecoder<Desc extends DescMessage = DescMessage> {
  readonly schema: Desc;
  /** What `fromJsonString` would give. Undefined where the text has something that this decoder does not know, or anything wrong. */
  json(text: string): MessageShape<Desc> | undefined;
  /** Whether a message breaks none of the schema's constraints. False where this decoder does not know. */
  isKnownValid(message: MessageShape<Desc>): boolean;
}
