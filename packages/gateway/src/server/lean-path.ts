import type { IncomingHttpHeaders } from "node:http";
import { compressionNegotiate, type UniversalHandler } from "@connectrpc/connect/protocol";
import { compressionGzip } from "@connectrpc/connect-node";
import type { AdapterPath } from "./adapter-path.ts";
import { deadlineHeaderOf, heldDeadline, readDeadline } from "./deadline-header.ts";
import { type LeanCallSurroundings, runLeanCall } from "./lean-call.ts";
import type { LeanTransport } from "./lean-transport.ts";
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
export type LeanPath = (transport: LeanTransport, requestId: string, answerHeaders: Record<string, string>) => boolean;

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

  return (transport, requestId, answerHeaders) => {
    const { path, headers } = transport;
    const unary = methods.get(path);
    const handler = handlers.get(path);
    if (unary === undefined || handler === undefined) return false;
    const form = plainFormOf(transport);
    if (form === undefined) return false;
    const { protocol } = form;
    if (Number(headers["content-length"] ?? 0) > bodyMaxBytes(protocol, limits.readMaxBytes)) return false;
    const wantedMs = readDeadline(headerOf(headers, deadlineHeaderOf(protocol)), protocol);
    const timeoutMs = wantedMs === "unreadable" ? undefined : heldDeadline(wantedMs, bounds);
    if (timeoutMs === undefined || timeoutMs <= 0) return false;
    runLeanCall(
      { unary, form, timeoutMs, acceptsGzip: acceptsGzip(headers, form), transport, requestId, answerHeaders },
      surroundings,
      (begun) => {
        const { request, response } = transport.general();
        for (const [name, value] of Object.entries(answerHeaders)) response.setHeader(name, value);
        adapterPath(handler, request, response, requestId, begun);
      },
    );
    return true;
  };
}

function headerOf(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  return value === undefined ? null : String(value);
}

function acceptsGzip(headers: IncomingHttpHeaders, { acceptEncodingHeader }: PlainForm): boolean {
  const accepted = headerOf(headers, acceptEncodingHeader);
  if (accepted === null || accepted === "identity") return false;
  return compressionNegotiate([compressionGzip], null, accepted, acceptEncodingHeader).response !== null;
}
