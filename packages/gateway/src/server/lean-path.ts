import { compressionNegotiate, type UniversalHandler } from "@connectrpc/connect/protocol";
import { compressionGzip } from "@connectrpc/connect-node";
import type { AdapterPath } from "./adapter-path.ts";
import { deadlineHeaderOf, heldDeadline, readDeadline } from "./deadline-header.ts";
import { type LeanCallSurroundings, runLeanCall } from "./lean-call.ts";
import type { NodeServerRequest, NodeServerResponse } from "./node-http.ts";
import { type PlainForm, plainFormOf } from "./plain-form.ts";
import { bodyMaxBytes } from "./request-body.ts";
import type { UnaryMethod } from "./unary-methods.ts";

/** What the lean path needs. */
export interface LeanPathOptions extends LeanCallSurroundings {
  methods: ReadonlyMap<string, UnaryMethod>;
  handlers: ReadonlyMap<string, UniversalHandler>;
  adapterPath: AdapterPath;
}

/** Takes a request where it is a plain unary call, and answers it. Says whether it has taken it. */
export type LeanPath = (
  request: NodeServerRequest,
  response: NodeServerResponse,
  requestId: string,
  answerHeaders: Record<string, string>,
) => boolean;

/**
 * The way of plain unary calls, which nearly all are. It does what the library's handlers do, by the same interceptors, errors and limits,
 * without what a plain call has no need of: streams around one message, headers as objects, signals that nobody listens to.
 *
 * What turns out not to be plain while it is read (too long, several messages, no message of the type) goes the adapter's path with all
 * that was read of it, so that one place alone says what is wrong with a request.
 */
export function createLeanPath({ methods, handlers, adapterPath, ...surroundings }: LeanPathOptions): LeanPath {
  const { limits } = surroundings;
  const bounds = { ...limits, streaming: false };

  return (request, response, requestId, answerHeaders) => {
    const path = request.url ?? "";
    const unary = methods.get(path);
    const handler = handlers.get(path);
    if (unary === undefined || handler === undefined) return false;
    const form = plainFormOf(request);
    if (form === undefined) return false;
    const { protocol } = form;
    if (Number(request.headers["content-length"] ?? 0) > bodyMaxBytes(protocol, limits.readMaxBytes)) return false;
    const wantedMs = readDeadline(headerOf(request, deadlineHeaderOf(protocol)), protocol);
    const timeoutMs = wantedMs === "unreadable" ? undefined : heldDeadline(wantedMs, bounds);
    if (timeoutMs === undefined || timeoutMs <= 0) return false;
    runLeanCall(
      { unary, form, timeoutMs, acceptsGzip: acceptsGzip(request, form), request, response, requestId, answerHeaders },
      surroundings,
      (begun) => {
        for (const [name, value] of Object.entries(answerHeaders)) response.setHeader(name, value);
        adapterPath(handler, request, response, requestId, begun);
      },
    );
    return true;
  };
}

function headerOf(request: NodeServerRequest, name: string): string | null {
  const value = request.headers[name];
  return value === undefined ? null : String(value);
}

function acceptsGzip(request: NodeServerRequest, { acceptEncodingHeader }: PlainForm): boolean {
  const accepted = headerOf(request, acceptEncodingHeader);
  if (accepted === null || accepted === "identity") return false;
  return compressionNegotiate([compressionGzip], null, accepted, acceptEncodingHeader).response !== null;
}
