import { isUtf8 } from "node:buffer";
import { type DescMethodUnary, fromBinary, fromJsonString, type Message } from "@bufbuild/protobuf";
import { isDenseJson } from "../http/dense-json.ts";
import type { RequestHead } from "../http/node-http.ts";

/** The form of a plain call: its protocol, its encoding, and the headers that the protocol uses for compression. */
export interface PlainForm {
  readonly protocol: "connect" | "grpc" | "grpc-web";
  readonly isJson: boolean;
  /** Content type of the answer. */
  readonly contentType: string;
  readonly encodingHeader: string;
  readonly acceptEncodingHeader: string;
}

const connect = { protocol: "connect", encodingHeader: "content-encoding", acceptEncodingHeader: "accept-encoding" } as const;
const grpcHeaders = { isJson: false, encodingHeader: "grpc-encoding", acceptEncodingHeader: "grpc-accept-encoding" } as const;
const grpc = { ...grpcHeaders, protocol: "grpc", contentType: "application/grpc+proto" } as const;
const grpcWeb = { ...grpcHeaders, protocol: "grpc-web", contentType: "application/grpc-web+proto" } as const;

/** By content type, spelled exactly so. A call with any other content type is not plain. */
const forms = new Map<string | undefined, PlainForm>([
  ["application/json", { ...connect, isJson: true, contentType: "application/json" }],
  ["application/proto", { ...connect, isJson: false, contentType: "application/proto" }],
  ["application/grpc", grpc],
  ["application/grpc+proto", grpc],
  ["application/grpc-web", grpcWeb],
  ["application/grpc-web+proto", grpcWeb],
]);

/**
 * Returns the form of a plain request: POST, a content type from the list, not compressed, no `Expect`, and for gRPC over HTTP/2. Undefined
 * for every other request.
 */
export function plainFormOf({ method, headers, isHttp2 }: RequestHead): PlainForm | undefined {
  if (method !== "POST") return undefined;
  const form = forms.get(headers["content-type"]);
  if (form === undefined || headers.expect !== undefined) return undefined;
  const encoding = headers[form.encodingHeader];
  if (encoding !== undefined && encoding !== "identity") return undefined;
  if (form.protocol === "grpc" && !isHttp2) return undefined;
  return form;
}

/** Length of what precedes a message of gRPC and gRPC-Web, in bytes. */
export const envelopeHeaderBytes = 5;

/** Returns whether the envelope at the beginning of a body is plain: not compressed, and not longer than the limit. */
export function isPlainEnvelope(body: Buffer, readMaxBytes: number): boolean {
  return body[0] === 0 && body.readUInt32BE(1) <= readMaxBytes;
}

const jsonOptions = { ignoreUnknownFields: false };
const byteOrderMark = 0xef;

/** Parses a message. Undefined if it is not of the method's type. */
export function parseMessage(method: DescMethodUnary, form: PlainForm, bytes: Buffer): Message | undefined {
  try {
    if (!form.isJson) return fromBinary(method.input, bytes);
    // Invalid UTF-8 and dense messages are refused by the stock adapter. `toString` would replace it.
    if (bytes[0] === byteOrderMark || !isUtf8(bytes) || isDenseJson(bytes)) return undefined;
    return fromJsonString(method.input, bytes.toString(), jsonOptions);
  } catch {
    return undefined;
  }
}

/** The bytes of the only message in a body. Undefined if it is compressed or cut off, is not the only one, or is longer than `readMaxBytes`. */
export function messageBytesOf(form: PlainForm, body: Buffer, readMaxBytes: number): Buffer | undefined {
  if (form.protocol === "connect") return body.byteLength > readMaxBytes ? undefined : body;
  if (body.byteLength < envelopeHeaderBytes || body[0] !== 0) return undefined;
  const messageLength = body.byteLength - envelopeHeaderBytes;
  return body.readUInt32BE(1) === messageLength && messageLength <= readMaxBytes ? body.subarray(envelopeHeaderBytes) : undefined;
}
