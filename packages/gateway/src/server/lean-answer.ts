import { type Message, toBinary, toJsonString } from "@bufbuild/protobuf";
import { compressedFlag, encodeEnvelope } from "@connectrpc/connect/protocol";
import { trailerFlag, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import { compressionGzip } from "@connectrpc/connect-node";
import type { AnswerEncoder } from "./answer-encoder.ts";
import type { LeanExchange } from "./lean-exchange.ts";
import type { PlainForm } from "./plain-form.ts";

/** A successful answer, ready to be written. */
export interface LeanAnswer {
  header: Record<string, string>;
  /** Text where there is nothing but text: Node then writes headers and body at once. */
  body: Uint8Array | string;
  /** What follows the body, for gRPC. */
  trailer: Record<string, string> | undefined;
}

/** What decides how an answer is encoded. */
export interface LeanAnswerOptions {
  /** The longest message that is sent, in bytes. */
  writeMaxBytes: number;
  /** Whether the caller takes gzip. */
  acceptsGzip: boolean;
  /** A faster encoder of the method's answers, where there is one. */
  encoder: AnswerEncoder | undefined;
}

/** From this length on an answer is compressed for those who take it, in bytes. The library's handlers have the same bound. */
const compressMinBytes = 1024;

const statusOk = { "grpc-status": "0" };

/** Encodes an answer in the form of its call. Throws where it is no message of its type, or longer than what is sent. */
export async function encodeAnswer(
  form: PlainForm,
  exchange: LeanExchange,
  message: Message,
  { writeMaxBytes, acceptsGzip, encoder }: LeanAnswerOptions,
): Promise<LeanAnswer> {
  const { output } = exchange.method;
  const plain = form.isJson
    ? (encoder?.json(message) ?? toJsonString(output, message))
    : (encoder?.binary(message) ?? toBinary(output, message));
  const plainBytes = Buffer.byteLength(plain);
  if (plainBytes > writeMaxBytes)
    throw new RangeError(`an answer of ${plainBytes} bytes is longer than the ${writeMaxBytes} that are sent`);
  const isCompressed = acceptsGzip && plainBytes >= compressMinBytes;
  const body = isCompressed ? await compressionGzip.compress(new Uint8Array(Buffer.from(plain))) : plain;
  const header: Record<string, string> = { "content-type": form.contentType };
  if (form.protocol === "connect") {
    if (isCompressed) header[form.encodingHeader] = "gzip";
    header["content-length"] = String(isCompressed ? Buffer.byteLength(body) : plainBytes);
    Object.assign(header, exchange.ownHeaders, prefixed("trailer-", exchange.ownTrailers));
    return { header, body, trailer: undefined };
  }
  // gRPC names what it might compress with, whether or not it does.
  if (acceptsGzip) header[form.encodingHeader] = "gzip";
  Object.assign(header, exchange.ownHeaders);
  const envelope = encodeEnvelope(isCompressed ? compressedFlag : 0, body as Uint8Array);
  const trailer = { ...statusOk, ...exchange.ownTrailers };
  if (form.protocol === "grpc") return { header, body: envelope, trailer };
  const end = encodeEnvelope(trailerFlag, trailerSerialize(new Headers(trailer)));
  return { header, body: Buffer.concat([envelope, end]), trailer: undefined };
}

function prefixed(prefix: string, headers: Record<string, string> | undefined): Record<string, string> | undefined {
  return headers && Object.fromEntries(Object.entries(headers).map(([name, value]) => [prefix + name, value]));
}
