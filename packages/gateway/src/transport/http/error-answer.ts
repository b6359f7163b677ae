import type { ConnectError } from "@connectrpc/connect";
import { createAsyncIterable, encodeEnvelope, type UniversalServerResponse } from "@connectrpc/connect/protocol";
import { codeToHttpStatus, createEndStreamSerialization, endStreamFlag, errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import { headerGrpcMessage, setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { trailerFlag, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import type { WireProtocol } from "../call/wire-protocol.ts";
import type { WholeAnswer } from "./send-answer.ts";

const endStream = createEndStreamSerialization(undefined);

/** Further facts of an error answer. */
export interface ErrorAnswerOptions {
  /** The content type of the request, which a stream's answer repeats. */
  contentType?: string | null | undefined;
  /** The HTTP status of plain Connect, where it is not the one of the code. */
  status?: number;
  /** Further headers. */
  header?: Record<string, string>;
}

/** An answer that is an error and nothing else, in the form that the protocol has for it. */
export function wholeError(protocol: WireProtocol, error: ConnectError, options: ErrorAnswerOptions = {}): WholeAnswer {
  const header = new Headers(options.header);
  if (protocol === "connect") {
    const body = errorToJsonBytes(error, undefined);
    header.set("content-type", "application/json");
    header.set("content-length", String(body.byteLength));
    return { status: options.status ?? codeToHttpStatus(error.code), header, body };
  }
  header.set("content-type", options.contentType ?? "application/json");
  if (protocol === "grpc") return { status: 200, header, body: new Uint8Array(), trailer: setGrpcStatus(new Headers(), error) };
  return { status: 200, header, body: protocol === "grpc-web" ? grpcWebEnd(new Headers(), error) : connectStreamEnd(new Headers(), error) };
}

/** The same as an answer of the library's. */
export function errorAnswer(protocol: WireProtocol, error: ConnectError, options?: ErrorAnswerOptions): UniversalServerResponse {
  const { status, header, body, trailer } = wholeError(protocol, error, options);
  return { status, header, body: createAsyncIterable(body.byteLength === 0 ? [] : [body]), ...(trailer && { trailer }) };
}

/** The last envelope of a Connect stream. */
export function connectStreamEnd(metadata: Headers, error: ConnectError): Uint8Array<ArrayBuffer> {
  return encodeEnvelope(endStreamFlag, endStream.serialize({ metadata, error }));
}

/** The last frame of a gRPC-Web answer. */
export function grpcWebEnd(trailer: Headers, error: ConnectError): Uint8Array<ArrayBuffer> {
  return encodeEnvelope(trailerFlag, trailerSerialize(setGrpcStatus(trailer, error)));
}

/**
 * Sets status, message and details in the trailers of gRPC. The library percent-encodes punctuation in the message too, which clients
 * that follow the letter of gRPC, such as grpc-js, then show; here only what gRPC names is encoded.
 */
export function setGrpcStatus(trailer: Headers, error: ConnectError): Headers {
  setTrailerStatus(trailer, error);
  trailer.set(headerGrpcMessage, error.rawMessage.toWellFormed().replace(/[^ -$&-~]/gu, encodeURIComponent));
  return trailer;
}
