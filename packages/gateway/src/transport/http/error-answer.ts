import type { ConnectError } from "@connectrpc/connect";
import { createAsyncIterable, encodeEnvelope, type UniversalServerResponse } from "@connectrpc/connect/protocol";
import { codeToHttpStatus, createEndStreamSerialization, endStreamFlag, errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import { headerGrpcMessage, setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { trailerFlag, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import type { WireProtocol } from "../call/wire-protocol.ts";
import type { WholeAnswer } from "./send-answer.ts";

const endStream = createEndStreamSerialization(undefined);

/** Options of {@link wholeError}. */
export interface ErrorAnswerOptions {
  /** The content type of the request. Answers of all protocols but plain Connect repeat it. */
  contentType?: string | null | undefined;
  /** The HTTP status in plain Connect. Default: the one of the error's code. */
  status?: number;
  /** Further headers. */
  header?: Record<string, string>;
}

/** Returns an answer that consists of an error, in the form of its protocol. */
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

/** Returns the same answer as a response of the RPC library. */
export function errorAnswer(protocol: WireProtocol, error: ConnectError, options?: ErrorAnswerOptions): UniversalServerResponse {
  const { status, header, body, trailer } = wholeError(protocol, error, options);
  return { status, header, body: createAsyncIterable(body.byteLength === 0 ? [] : [body]), ...(trailer && { trailer }) };
}

/** Returns the last envelope of a Connect stream. */
export function connectStreamEnd(metadata: Headers, error: ConnectError): Uint8Array<ArrayBuffer> {
  return encodeEnvelope(endStreamFlag, endStream.serialize({ metadata, error }));
}

/** Returns the last frame of a gRPC-Web answer. */
export function grpcWebEnd(trailer: Headers, error: ConnectError): Uint8Array<ArrayBuffer> {
  return encodeEnvelope(trailerFlag, trailerSerialize(setGrpcStatus(trailer, error)));
}

/**
 * Sets status, message and details in gRPC trailers. The library percent-encodes punctuation in the message too, which clients such as grpc-js
 * do not decode. Here only the characters that the gRPC specification names are encoded.
 */
export function setGrpcStatus(trailer: Headers, error: ConnectError): Headers {
  setTrailerStatus(trailer, error);
  trailer.set(headerGrpcMessage, error.rawMessage.toWellFormed().replace(/[^ -$&-~]/gu, encodeURIComponent));
  return trailer;
}
