import { gunzipSync } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import { compressedFlag, createAsyncIterable, type UniversalServerResponse } from "@connectrpc/connect/protocol";
import {
  codeToHttpStatus,
  endStreamFlag,
  endStreamFromJson,
  errorFromJsonBytes,
  errorToJsonBytes,
} from "@connectrpc/connect/protocol-connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { trailerFlag, trailerParse } from "@connectrpc/connect/protocol-grpc-web";
import type { WireProtocol } from "../call/wire-protocol.ts";
import { connectStreamEnd, grpcWebEnd, setGrpcStatus } from "../http/error-answer.ts";

/** Replaces an error that has no reason of the catalogue. Returns other errors unchanged. */
export type Repair = (error: ConnectError) => ConnectError;

const envelopeHeaderBytes = 5;

/**
 * Replaces errors that the RPC library wrote itself by errors with a reason of the catalogue, wherever the protocol carries them: in the JSON
 * body of plain Connect, the last envelope of a Connect stream, the trailers of gRPC, the last frame of gRPC-Web.
 */
export async function repairErrors(
  protocol: WireProtocol,
  answer: UniversalServerResponse,
  repair: Repair,
): Promise<UniversalServerResponse> {
  switch (protocol) {
    case "connect":
      return answer.status === 200 ? answer : repairConnect(answer, repair);
    case "connect-stream":
      return {
        ...answer,
        body: repairLast(
          answer.body,
          (chunk) => repairConnectStreamEnd(chunk, repair),
          (error) => connectStreamEnd(new Headers(), error),
          repair,
        ),
      };
    case "grpc-web":
      return {
        ...answer,
        body: repairLast(
          answer.body,
          (chunk) => repairGrpcWebEnd(chunk, repair),
          (error) => grpcWebEnd(new Headers(), error),
          repair,
        ),
      };
    case "grpc":
      return repairGrpc(answer, repair);
  }
}

async function repairConnect(answer: UniversalServerResponse, repair: Repair): Promise<UniversalServerResponse> {
  const header = new Headers(answer.header);
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.body ?? []) chunks.push(chunk);
  let body: Uint8Array<ArrayBufferLike> = Buffer.concat(chunks);
  if (header.get("content-encoding") === "gzip") body = gunzipSync(body);
  header.delete("content-encoding");
  const error = errorFromJsonBytes(new Uint8Array(body), undefined, new ConnectError("", Code.Internal));
  const repaired = repair(error);
  const bytes = repaired === error ? body : errorToJsonBytes(repaired, undefined);
  header.set("content-length", String(bytes.byteLength));
  return { status: codeToHttpStatus(repaired.code), header, body: createAsyncIterable([bytes]) };
}

function repairConnectStreamEnd(chunk: Uint8Array, repair: Repair): Uint8Array {
  const [flags = 0] = chunk;
  if ((flags & endStreamFlag) === 0) return chunk;
  const { metadata, error } = endStreamFromJson(new TextDecoder().decode(envelopeData(chunk)));
  if (error === undefined) return chunk;
  const repaired = repair(error);
  return repaired === error ? chunk : connectStreamEnd(metadata, repaired);
}

function repairGrpcWebEnd(chunk: Uint8Array, repair: Repair): Uint8Array {
  const [flags = 0] = chunk;
  if ((flags & trailerFlag) === 0) return chunk;
  const trailer = trailerParse(new Uint8Array(envelopeData(chunk)));
  const error = findTrailerError(trailer);
  return error === undefined ? chunk : grpcWebEnd(trailer, repair(error));
}

function envelopeData(chunk: Uint8Array): Uint8Array {
  const [flags = 0] = chunk;
  const data = chunk.subarray(envelopeHeaderBytes);
  return (flags & compressedFlag) === 0 ? data : gunzipSync(data);
}

function repairGrpc(answer: UniversalServerResponse, repair: Repair): UniversalServerResponse {
  const trailer = answer.trailer ?? new Headers();
  async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* answer.body ?? [];
    } catch (thrown) {
      setGrpcStatus(trailer, repair(ConnectError.from(thrown, Code.Internal)));
      return;
    }
    const error = findTrailerError(trailer);
    if (error !== undefined) setGrpcStatus(trailer, repair(error));
  }
  return { ...answer, trailer, body: body() };
}

/** Repairs a body in which each chunk is one envelope, which is how the library writes these two protocols. */
async function* repairLast(
  body: AsyncIterable<Uint8Array> | undefined,
  repairChunk: (chunk: Uint8Array) => Uint8Array,
  endWith: (error: ConnectError) => Uint8Array,
  repair: Repair,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of body ?? []) yield repairChunk(chunk);
  } catch (thrown) {
    // The library failed while it wrote the end, so none has been sent.
    yield endWith(repair(ConnectError.from(thrown, Code.Internal)));
  }
}
