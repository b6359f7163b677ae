import { PetakError } from "@petak/protocol";
import type { Logger } from "../../observability/logger.ts";
import type { Metrics } from "../../observability/metrics.ts";
import { wireProtocolOf } from "../call/wire-protocol.ts";
import { toWireError, wireError } from "../errors/wire-error.ts";
import { isPreflight, preflightHeaders } from "../http/common-headers.ts";
import { errorAnswer } from "../http/error-answer.ts";
import type { NodeServerRequest, NodeServerResponse } from "../http/node-http.ts";
import { abandon, sendError, sendWhole } from "../http/send-answer.ts";
import type { PlainAnswer, PlainRoute } from "./operational-routes.ts";

/** Options of {@link createPlainHttp}. */
export interface PlainHttpOptions {
  /** Answers GET and HEAD, by path. */
  routes: ReadonlyMap<string, PlainRoute>;
  /** The longest request message, in bytes. */
  readMaxBytes: number;
  logger: Logger;
  metrics: Metrics;
}

/** Answers a request that is not a call. */
export type PlainHttp = (path: string, request: NodeServerRequest, response: NodeServerResponse, requestId: string) => void;

/** Creates the function that answers everything that is not a call: preflight requests, pages, and METHOD_NOT_FOUND for unknown paths. */
export function createPlainHttp({ routes, readMaxBytes, logger, metrics }: PlainHttpOptions): PlainHttp {
  async function answerPage(
    route: PlainRoute,
    path: string,
    request: NodeServerRequest,
    response: NodeServerResponse,
    requestId: string,
  ): Promise<void> {
    let answer: PlainAnswer;
    try {
      answer = await route({ path, accept: request.headers.accept ?? "" });
    } catch (thrown) {
      const call = {
        requestId,
        method: path,
        protocol: "connect" as const,
        timeoutMs: undefined,
        authorization: undefined,
        origin: undefined,
        outcome: undefined,
      };
      const error = toWireError(thrown, { logger, readMaxBytes, call });
      return sendError(errorAnswer("connect", error), request, response, logger);
    }
    const body = Buffer.from(answer.body);
    const header = new Headers({ ...answer.headers, "content-type": answer.contentType, "content-length": String(body.byteLength) });
    sendWhole({ status: answer.status ?? 200, header, body }, request, response);
  }

  function refuseMethod(path: string, request: NodeServerRequest, response: NodeServerResponse): void {
    const error = new PetakError("METHOD_NOT_FOUND", `${path} must be requested with GET, not ${request.method}.`);
    const refusal = errorAnswer("connect", wireError(error, undefined), { status: 405, header: { allow: "GET, HEAD" } });
    sendError(refusal, request, response, logger);
  }

  function refusePath(path: string, request: NodeServerRequest, response: NodeServerResponse, requestId: string): void {
    const contentType = request.headers["content-type"];
    const asked = wireProtocolOf(contentType);
    // gRPC's status follows the body, where clients of HTTP/1.1 do not read it.
    const protocol = asked === "grpc" && request.httpVersionMajor < 2 ? "connect" : asked;
    const error = new PetakError(
      "METHOD_NOT_FOUND",
      `${path}: the gateway has no such method or page. Server reflection lists the methods.`,
    );
    metrics.rpcDuration.count("unknown", protocol, "unimplemented", 0);
    logger.info({ request_id: requestId, method: "unknown", protocol, code: "unimplemented", reason: error.reason }, "rpc");
    sendError(errorAnswer(protocol, wireError(error, undefined), { contentType, status: 404 }), request, response, logger);
  }

  return (path, request, response, requestId) => {
    const route = routes.get(path);
    if (isPreflight(request)) {
      sendWhole({ status: 204, header: new Headers(preflightHeaders), body: new Uint8Array() }, request, response);
    } else if (route === undefined) {
      refusePath(path, request, response, requestId);
    } else if (request.method === "GET" || request.method === "HEAD") {
      answerPage(route, path, request, response, requestId).catch((error: unknown) => abandon(response, logger, error));
    } else {
      refuseMethod(path, request, response);
    }
  };
}
