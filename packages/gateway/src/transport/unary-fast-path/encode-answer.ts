import { type Message, toBinary, toJsonString } from "@bufbuild/protobuf";
import { compressedFlag } from "@connectrpc/connect/protocol";
import { trailerFlag, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import { compressionGzip } from "@connectrpc/connect-node";
import type { AnswerEncoder } from "./answer-encoder.ts";
import type { FastHandlerContext } from "./handler-context.ts";
import { envelopeHeaderBytes, type PlainForm } from "./plain-form.ts";

/** A successful answer, ready to be written. */
export interface EncodedAnswer {
  header: Record<string, string>;
  /** Bytes hold only as long as nothing is waited for: whoever keeps them copies them. */
  body: Uint8Array | string;
  /** What follows the body, for gRPC. */
  trailer: Readonly<Record<string, string>> | undefined;
}

/** What decides how an answer is encoded. */
export interface EncodeAnswerOptions {
  /** The longest message that is sent, in bytes. */
  writeMaxBytes: number;
  /** Whether the caller takes gzip. */
  acceptsGzip: boolean;
  /** A faster encoder of the method's answers, where there is one. */
  encoder: AnswerEncoder | undefined;
}

/** From this length on an answer is compressed for those who take it, in bytes. The library's handlers have the same bound. */
const compressMinBytes = 1024;

/** The trailer of nearly every answer: one object, by which it is known. */
export const okTrailer: Readonly<Record<string, string>> = Object.freeze({ "grpc-status": "0" });

/**
 * Encodes an answer in the form of its call, at once where it is not compressed. Throws where it is no message of its type, or longer than
 * what is sent.
 */
export function encodeAnswer(
  form: PlainForm,
  exchange: FastHandlerContext,
  message: Message,
  options: EncodeAnswerOptions,
): EncodedAnswer | Promise<EncodedAnswer> {
  const { writeMaxBytes, acceptsGzip, encoder } = options;
  const { output } = exchange.method;
  const plain = form.isJson
    ? (encoder?.json(message) ?? toJsonString(output, message))
    : (encoder?.binary(message) ?? toBinary(output, message));
  const plainBytes = Buffer.byteLength(plain);
  if (plainBytes > writeMaxBytes)
    throw new RangeError(`an answer of ${plainBytes} bytes is longer than the ${writeMaxBytes} that are sent`);
  if (!acceptsGzip || plainBytes < compressMinBytes) return framed(form, exchange, plain, plainBytes, false, acceptsGzip);
  return compressionGzip
    .compress(new Uint8Array(Buffer.from(plain)))
    .then((compressed) => framed(form, exchange, compressed, compressed.byteLength, true, acceptsGzip));
}

/** Puts headers before a message, and around and after it what its protocol has there. */
function framed(
  form: PlainForm,
  exchange: FastHandlerContext,
  message: Uint8Array | string,
  messageBytes: number,
  isCompressed: boolean,
  acceptsGzip: boolean,
): EncodedAnswer {
  const header: Record<string, string> = { "content-type": form.contentType };
  const { ownHeaders, ownTrailers } = exchange;
  if (form.protocol === "connect") {
    if (isCompressed) header[form.encodingHeader] = "gzip";
    header["content-length"] = String(messageBytes);
    if (ownHeaders !== undefined) Object.assign(header, ownHeaders);
    if (ownTrailers !== undefined) Object.assign(header, prefixed("trailer-", ownTrailers));
    return { header, body: message, trailer: undefined };
  }
  // gRPC names what it might compress with, whether or not it does.
  if (acceptsGzip) header[form.encodingHeader] = "gzip";
  if (ownHeaders !== undefined) Object.assign(header, ownHeaders);
  const envelope = enveloped(isCompressed ? compressedFlag : 0, message as Uint8Array);
  const trailer = ownTrailers === undefined ? okTrailer : { ...okTrailer, ...ownTrailers };
  if (form.protocol === "grpc") return { header, body: envelope, trailer };
  const end = enveloped(trailerFlag, trailerSerialize(new Headers(trailer)));
  return { header, body: Buffer.concat([envelope, end]), trailer: undefined };
}

/** The library's `encodeEnvelope` in memory of Node's pool: memory of its own for every message is what the collector has most to do with. */
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
