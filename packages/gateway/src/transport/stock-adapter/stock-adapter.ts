import { type ConnectRouter, createConnectRouter } from "@connectrpc/connect";
import { compressionGzip } from "@connectrpc/connect-node";
import type { NodeServerRequest, NodeServerResponse } from "../http/node-http.ts";
import { type AnswerCallDependencies, answerCall, type BegunCall } from "./answer-call.ts";
import { type CallSequence, stockInterceptors } from "./interceptors.ts";
import { type RegisteredService, registerServices } from "./registered-services.ts";

export type { BegunCall, CallSequence, RegisteredService };

/** Options of {@link createStockAdapter}. */
export interface StockAdapterOptions extends AnswerCallDependencies, CallSequence {
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
    // Unknown fields in JSON are refused, although newer clients then cannot send new fields to older gateways: a caller that mistypes
    // `radiusM` must get an error, not the answer to another question. In binary, unknown fields are kept.
    jsonOptions: { ignoreUnknownFields: false },
  });
  const services = registerServices(router, routes);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return {
    services,
    answer(path, request, response, requestId, begun) {
      const handler = handlers.get(path);
      if (handler === undefined) return false;
      answerCall(options, handler, request, response, requestId, begun);
      return true;
    },
  };
}
