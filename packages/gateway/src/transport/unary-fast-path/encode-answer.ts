import { type DescMessage, type Message, type MessageShape, toBinary, toJsonString } from "@bufbuild/protobuf";
import { compressedFlag } from "@connectrpc/connect/protocol";
import { trailerFlag, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import { compressionGzip } from "@connectrpc/connect-node";
import type { FastHandlerContext } from "./handler-context.ts";
import { envelopeHeaderBytes, type PlainForm } from "./plain-form.ts";

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

/** A successful answer in the form of its protocol. */
export interface EncodedAnswer {
  header: Record<string, string>;
  /** Bytes are valid only until the next answer is encoded; copy them to keep them longer. */
  body: Uint8Array | string;
  /** The trailers, for gRPC. */
  trailer: Readonly<Record<string, string>> | undefined;
}

/** Options of {@link encodeAnswer}. */
export interface EncodeAnswerOptions {
  /** The longest response message, in bytes. */
  writeMaxBytes: number;
  /** Whether the caller accepts gzip. */
  acceptsGzip: boolean;
  /** A faster encoder of the method's answers, if there is one. */
  encoder: AnswerEncoder | undefined;
}

/** The shortest answer that is compressed for callers that accept it, in bytes. The stock adapter has the same limit. */
const compressMinBytes = 1024;

/** The trailers of nearly every answer. They are recognised by this object's identity. */
export const okTrailer: Readonly<Record<string, string>> = Object.freeze({ "grpc-status": "0" });

/**
 * Encodes an answer in the form of its call. Returns a promise only if the answer is compressed.
 *
 * @throws {Error} if the message cannot be encoded or is longer than `writeMaxBytes`
 */
export function encodeAnswer(
  form: PlainForm,
  context: FastHandlerContext,
  message: Message,
  options: EncodeAnswerOptions,
): EncodedAnswer | Promise<EncodedAnswer> {
  const { writeMaxBytes, acceptsGzip, encoder } = options;
  const { output } = context.method;
  const plain = form.isJson
    ? (encoder?.json(message) ?? toJsonString(output, message))
    : (encoder?.binary(message) ?? toBinary(output, message));
  const plainBytes = Buffer.byteLength(plain);
  if (plainBytes > writeMaxBytes)
    throw new RangeError(`an answer of ${plainBytes} bytes is longer than the ${writeMaxBytes} that are sent`);
  if (!acceptsGzip || plainBytes < compressMinBytes) return framed(form, context, plain, plainBytes, false, acceptsGzip);
  return compressionGzip
    .compress(new Uint8Array(Buffer.from(plain)))
    .then((compressed) => framed(form, context, compressed, compressed.byteLength, true, acceptsGzip));
}

/** Adds the headers, envelopes and trailers of the protocol to a message. */
function framed(
  form: PlainForm,
  context: FastHandlerContext,
  message: Uint8Array | string,
  messageBytes: number,
  isCompressed: boolean,
  acceptsGzip: boolean,
): EncodedAnswer {
  const header: Record<string, string> = { "content-type": form.contentType };
  const { ownHeaders, ownTrailers } = context;
  if (form.protocol === "connect") {
    if (isCompressed) header[form.encodingHeader] = "gzip";
    header["content-length"] = String(messageBytes);
    if (ownHeaders !== undefined) Object.assign(header, ownHeaders);
    if (ownTrailers !== undefined) Object.assign(header, prefixed("trailer-", ownTrailers));
    return { header, body: message, trailer: undefined };
  }
  // gRPC names the encoding even if this message is not compressed.
  if (acceptsGzip) header[form.encodingHeader] = "gzip";
  if (ownHeaders !== undefined) Object.assign(header, ownHeaders);
  const envelope = enveloped(isCompressed ? compressedFlag : 0, message as Uint8Array);
  const trailer = ownTrailers === undefined ? okTrailer : { ...okTrailer, ...ownTrailers };
  if (form.protocol === "grpc") return { header, body: envelope, trailer };
  const end = enveloped(trailerFlag, trailerSerialize(new Headers(trailer)));
  return { header, body: Buffer.concat([envelope, end]), trailer: undefined };
}

/** Does what the library's `encodeEnvelope` does, in memory of Node's buffer pool, which saves the garbage collector most of its work. */
function enveloped(flags: number, message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(envelopeHeaderBytes + message.byteLength);
  bytes[0] = flags;
  bytes.writeUInt32BE(message.byteLength, 1);
  bytes.set(message, envelopeHeaderBytes);
  return bytes;
}

function prefixed(prefix: string, headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [prefix + name, value]));
}
