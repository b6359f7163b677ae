import type { Readable } from "node:stream";
import { Code, ConnectError } from "@connectrpc/connect";
import { toConnectError } from "@petak/protocol";
import type { WireProtocol } from "../call/wire-protocol.ts";
import { deadlineExceeded, messageTooLarge } from "../errors/adapter-error.ts";
import type { NodeServerRequest, NodeServerResponse } from "./node-http.ts";

/**
 * How long a body is read and thrown away after an early answer. Many clients read the answer only when they have sent all, and a
 * connection that is closed on unread data takes the answer with it. After that time it is closed all the same.
 */
const discardMaxMs = 10_000;

/** Of a body with one message, all that is not the message: the envelopes of a message and of an end. */
const envelopeBytes = 64;

/** The most bytes of a body with one message of at most `readMaxBytes`. */
export function bodyMaxBytes(protocol: WireProtocol, readMaxBytes: number): number {
  return readMaxBytes + (protocol === "connect" ? 0 : envelopeBytes);
}

/** Bounds of a request's body. */
export interface BodyBounds {
  /** The most bytes that the body may have. Undefined for a stream of messages, where each message is bounded and not their sum. */
  maxBytes: number | undefined;
  /** The limit that the caller is told, in bytes. */
  limitBytes: number;
  /** When reading stops, in ms from the first read. Undefined: never. */
  timeoutMs: number | undefined;
  /** What somebody else has read of it, and whether that was all. */
  readAlready?: { chunks: readonly Uint8Array[]; isWhole: boolean } | undefined;
}

/**
 * The body of a request, bounded in size and time. A declared length above the bound is refused before anything is read. When reading
 * stops early the request is left whole: Node's own iterator would destroy it, and with it the connection on which the answer must go, or
 * could not be stopped while it waits.
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

/** Reads chunk by chunk, pausing the request in between. `next` gives undefined at the end; `release` lets go of the request. */
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

/** Whether the client waits for leave before it sends its body. */
export function expectsContinue(request: NodeServerRequest): boolean {
  return request.headers.expect?.toLowerCase() === "100-continue";
}

/** Reads what is left of a request's body and throws it away, for a bounded time. Does nothing where all has been read. */
export function discardRequest(request: NodeServerRequest): void {
  discardBody(request, () => {
    if ("stream" in request) request.stream.close();
    else request.socket.destroy();
  });
}

/** The same for any body, with what is done where it does not end in time. */
export function discardBody(request: Readable, giveUp: () => void): void {
  if (request.readableEnded || request.destroyed) return;
  const timer = setTimeout(giveUp, discardMaxMs).unref();
  request.once("close", () => clearTimeout(timer));
  request.once("end", () => clearTimeout(timer));
  request.resume();
}
