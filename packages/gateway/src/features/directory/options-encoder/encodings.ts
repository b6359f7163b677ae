import { type DescMessage, type Message, type MessageShape, toBinary, toJsonString } from "@bufbuild/protobuf";
import { SiteSummarySchema } from "@petak/protocol";

/** Encodes messages of one type. */
export interface Encodings<Desc extends DescMessage, Json> {
  json(message: MessageShape<Desc>): Json;
  binary(message: MessageShape<Desc>): Uint8Array;
}

/** Caches the encodings of message objects that occur in many responses, JSON as UTF-8. The messages must not be modified. */
function createEncodings<Desc extends DescMessage>(schema: Desc): Encodings<Desc, Uint8Array> {
  const known = new WeakMap<Message, { json?: Uint8Array; binary?: Uint8Array }>();
  const encodedOf = (message: MessageShape<Desc>) => {
    let encoded = known.get(message);
    if (encoded === undefined) {
      encoded = {};
      known.set(message, encoded);
    }
    return encoded;
  };
  return {
    json(message) {
      const encoded = encodedOf(message);
      encoded.json ??= Buffer.from(toJsonString(schema, message));
      return encoded.json;
    },
    binary(message) {
      const encoded = encodedOf(message);
      encoded.binary ??= toBinary(schema, message);
      return encoded.binary;
    },
  };
}

/** Caches the encoding of the last message object, which the options of a response often share. It must not be modified. */
export function createLastEncoding<Desc extends DescMessage>(
  schema: Desc,
  toJson: (message: MessageShape<Desc>) => string = (message) => toJsonString(schema, message),
): Encodings<Desc, string> {
  let lastOfJson: Message | undefined;
  let lastOfBinary: Message | undefined;
  let json = "";
  let binary: Uint8Array = new Uint8Array();
  return {
    json(message) {
      if (message !== lastOfJson) {
        json = toJson(message);
        lastOfJson = message;
      }
      return json;
    },
    binary(message) {
      if (message !== lastOfBinary) {
        binary = toBinary(schema, message);
        lastOfBinary = message;
      }
      return binary;
    },
  };
}

/** Encodings of site summaries, each made once: `summarise` returns the same object for the same site. */
export const siteEncodings = createEncodings(SiteSummarySchema);
