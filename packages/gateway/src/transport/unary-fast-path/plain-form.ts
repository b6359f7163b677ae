import type { RequestHead } from "../http/request-head.ts";

/** How a plain unary call is written: which protocol, which encoding, and which headers that protocol has for compression. */
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

/** By content type, word for word: whoever writes it otherwise has no plain call. */
const forms = new Map<string | undefined, PlainForm>([
  ["application/json", { ...connect, isJson: true, contentType: "application/json" }],
  ["application/proto", { ...connect, isJson: false, contentType: "application/proto" }],
  ["application/grpc", grpc],
  ["application/grpc+proto", grpc],
  ["application/grpc-web", grpcWeb],
  ["application/grpc-web+proto", grpcWeb],
]);

/**
 * The form of a request that is plain: POST, a content type from the list, nothing compressed, no leave to be asked for, and for gRPC
 * HTTP/2. Undefined for every other.
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

/** Length of what comes before a message of gRPC and gRPC-Web. */
export const envelopeHeaderBytes = 5;

/** Whether the envelope at the beginning of a body is one that a plain call may have: nothing compressed, and no longer than is read. */
export function isPlainEnvelope(body: Buffer, readMaxBytes: number): boolean {
  return body[0] === 0 && body.readUInt32BE(1) <= readMaxBytes;
}

/** The message in a body, undefined where the body is not one message as it is: compressed, cut off, several. */
export function messageBytes(form: PlainForm, body: Buffer): Buffer | undefined {
  if (form.protocol === "connect") return body;
  if (body.byteLength < envelopeHeaderBytes || body[0] !== 0) return undefined;
  return body.readUInt32BE(1) === body.byteLength - envelopeHeaderBytes ? body.subarray(envelopeHeaderBytes) : undefined;
}
