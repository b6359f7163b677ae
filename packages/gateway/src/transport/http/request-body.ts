import type { Readable } from "node:stream";
import { Code, ConnectError } from "@connectrpc/connect";
import { toConnectError } from "@petak/protocol";
import type { WireProtocol } from "../call/wire-protocol.ts";
import { deadlineExceeded, messageTooLarge } from "../errors/adapter-error.ts";
import type { NodeServerRequest, NodeServerResponse } from "./node-http.ts";

/**
 * How long the rest of a body is read and discarded after an early answer, in ms. Many clients read the answer only after they have sent
 * everything, and closing a connection with unread data loses the answer. After this time the connection is closed anyway.
 */
const discardMaxMs = 10_000;

/** Room for the envelopes of the message and of the end of the stream in a body with one message, in bytes. */
const envelopeBytes = 64;

/** Returns the longest body that may hold one message of at most `readMaxBytes`, in bytes. */
export function bodyMaxBytes(protocol: WireProtocol, readMaxBytes: number): number {
  return readMaxBytes + (protocol === "connect" ? 0 : envelopeBytes);
}

/** Limits of a request's body. */
export interface BodyBounds {
  /** The longest body, in bytes. Undefined for a stream of messages, of which each is limited but not their sum. */
  maxBytes: number | undefined;
  /** The limit that MESSAGE_TOO_LARGE names, in bytes. */
  limitBytes: number;
  /** The time from the first read after which reading stops, in ms. Undefined: never. */
  timeoutMs: number | undefined;
  /** What the unary fast path has read of it, and whether that is the whole body. */
  readAlready?: { chunks: readonly Uint8Array[]; isWhole: boolean } | undefined;
}

/**
 * Reads the body of a request, limited in size and time. A declared length above the limit is refused before anything is read. If reading stops
 * early, the request stays intact: Node's own iterator would destroy it together with the connection that the answer needs, or could not be
 * stopped while it waits.
 */
export async function* boundedBody(
  request: NodeServerRequest,
  response: NodeServerResponse,
  { maxBytes, limitBytes, timeoutMs, readAlready }: BodyBounds,
): AsyncGenerator<Uint8Array, void, undefined> {
  const declaredBytes = Number(request.headers["content-length"] ?? 0);
  if (maxBytes !== undefined && declaredBytes > maxBytes) throw toConnectError(messageTooLarge(limitBytes));
  if (expectsContinue(request)) response.writeContinue();
  const chunks = readChunks(request, readAlready);
  const late = Promise.withResolvers<never>();
  late.promise.catch(() => {});
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => late.reject(toConnectError(deadlineExceeded(timeoutMs))), timeoutMs);
  let readBytes = 0;
  try {
    for (;;) {
      const chunk = await (timer === undefined ? chunks.next() : Promise.race([chunks.next(), late.promise]));
      if (chunk === undefined) return;
      readBytes += chunk.byteLength;
      if (maxBytes !== undefined && readBytes > maxBytes) throw toConnectError(messageTooLarge(limitBytes));
      yield chunk;
    }
  } finally {
    clearTimeout(timer);
    chunks.release();
    discardRequest(request);
  }
}

/** Reads chunk by chunk and pauses the request in between. `next` returns undefined at the end; `release` removes all listeners. */
function readChunks(
  request: NodeServerRequest,
  readAlready: BodyBounds["readAlready"],
): { next(): Promise<Uint8Array | undefined>; release(): void } {
  const chunks = [...(readAlready?.chunks ?? [])];
  const isWhole = readAlready?.isWhole === true;
  let cutOff = false;
  let wake = (): void => {};

  function onData(chunk: Uint8Array): void {
    chunks.push(chunk);
    request.pause();
    wake();
  }

  function onClose(): void {
    cutOff = !request.readableEnded;
    wake();
  }

  const onEnd = (): void => wake();
  request.pause();
  request.on("data", onData);
  request.on("end", onEnd);
  request.on("close", onClose);
  return {
    async next() {
      if (chunks.length === 0 && !isWhole && !request.readableEnded && !cutOff) {
        if (request.destroyed) cutOff = true;
        else {
          request.resume();
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
      const chunk = chunks.shift();
      if (chunk === undefined && cutOff) throw new ConnectError("The request was cut off.", Code.Canceled);
      return chunk;
    },
    release() {
      request.off("data", onData);
      request.off("end", onEnd);
      request.off("close", onClose);
    },
  };
}

/** Returns whether the client waits for `100 Continue` before it sends its body. */
export function expectsContinue(request: NodeServerRequest): boolean {
  return request.headers.expect?.toLowerCase() === "100-continue";
}

/** Reads and discards the rest of a request's body for a limited time, then closes the connection. Does nothing if all has been read. */
export function discardRequest(request: NodeServerRequest): void {
  discardBody(request, () => {
    if ("stream" in request) request.stream.close();
    else request.socket.destroy();
  });
}

/** Does the same for any body. Calls `giveUp` if it does not end in time. */
export function discardBody(request: Readable, giveUp: () => void): void {
  if (request.readableEnded || request.destroyed) return;
  const timer = setTimeout(giveUp, discardMaxMs).unref();
  request.once("close", () => clearTimeout(timer));
  request.once("end", () => clearTimeout(timer));
  request.resume();
}
