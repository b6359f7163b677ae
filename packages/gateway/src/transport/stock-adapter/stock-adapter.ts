import type { JsonReadOptions } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, createConnectRouter } from "@connectrpc/connect";
import { compressionGzip } from "@connectrpc/connect-node";
import { toConnectError } from "@petak/protocol";
import type { SteppedCall } from "../call/call-step.ts";
import { denseMessage } from "../errors/adapter-error.ts";
import { isDenseJson } from "../http/dense-json.ts";
import type { NodeServerRequest, NodeServerResponse } from "../http/node-http.ts";
import { type AnswerCallDependencies, answerCall, type BegunCall } from "./answer-call.ts";
import { type CallSequence, stockInterceptors } from "./interceptors.ts";
import { type RegisteredService, registerServices } from "./registered-services.ts";

export type { BegunCall, CallSequence, RegisteredService };

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Options of the library's JSON. The type of its router lacks the decoder, which would otherwise replace bytes that are not UTF-8. */
const jsonOptions: Partial<JsonReadOptions> & { textDecoder: { decode(bytes: Uint8Array): string } } = {
  // Unknown fields in JSON are refused, although newer clients then cannot send new fields to older gateways: a caller that mistypes
  // `radiusM` must get an error, not the answer to another question. In binary, unknown fields are kept.
  ignoreUnknownFields: false,
  textDecoder: {
    decode(bytes) {
      if (isDenseJson(bytes)) throw toConnectError(denseMessage());
      try {
        return utf8.decode(bytes);
      } catch (cause) {
        throw new ConnectError("the JSON is not valid UTF-8", Code.InvalidArgument, undefined, undefined, cause);
      }
    },
  },
};

/** Options of {@link createStockAdapter}. */
export interface StockAdapterOptions extends Omit<AnswerCallDependencies, "identify">, CallSequence {
  /** Registers the services. */
  routes: (router: ConnectRouter) => void;
  /** Aborts when the gateway begins to stop. The signal of a stream then aborts too, that of a unary call does not. */
  shutdownSignal?: AbortSignal | undefined;
}

/** Answers calls with the RPC library's handlers. */
export interface StockAdapter {
  /** The registered services, except those with options of their own. */
  readonly services: readonly RegisteredService[];
  /**
   * Answers a call.
   *
   * @param begun what the unary fast path has read of the call
   * @returns false if no method has this path; then nothing was done
   */
  answer(path: string, request: NodeServerRequest, response: NodeServerResponse, requestId: string, begun?: BegunCall): boolean;
}

/** Creates the adapter that can answer every call: all protocols, encodings and kinds of streams. */
export function createStockAdapter({ routes, shutdownSignal, ...options }: StockAdapterOptions): StockAdapter {
  const { limits } = options;
  const router = createConnectRouter({
    interceptors: stockInterceptors({ ...options, shutdownSignal, readMaxBytes: limits.readMaxBytes }),
    readMaxBytes: limits.readMaxBytes,
    writeMaxBytes: limits.writeMaxBytes,
    // Deadlines are limited before the library reads them.
    maxTimeoutMs: Number.MAX_SAFE_INTEGER,
    acceptCompression: [compressionGzip],
    jsonOptions,
  });
  const services = registerServices(router, routes, limits);
  const identify = async (call: SteppedCall): Promise<void> => {
    try {
      await options.callers.identify(call);
    } catch (thrown) {
      throw options.steps.reduceRight((error, step) => step.translate?.(error) ?? error, thrown);
    }
  };
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return {
    services,
    answer(path, request, response, requestId, begun) {
      const handler = handlers.get(path);
      if (handler === undefined) return false;
      answerCall({ ...options, identify }, handler, request, response, requestId, begun);
      return true;
    },
  };
}
