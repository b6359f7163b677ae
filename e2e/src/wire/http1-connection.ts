import { connect, type Socket } from "node:net";
import { createHttp1Parser, type ParsedAnswer } from "./http1-parser.ts";
import type { RawAnswer } from "./raw-answer.ts";

/** How to send one request. */
export interface Http1Sending {
  /** The request, byte for byte. */
  bytes: Buffer;
  /** The longest wait for the end of the response, in ms. */
  timeoutMs: number;
  /** Whether the response may be endless: its first bytes then suffice. */
  isEndless?: boolean;
  /** Whether the response has a header and no body, as for HEAD. */
  isBodyless?: boolean;
}

/** A persistent HTTP/1.1 connection that sends exactly the given bytes, well-formed or not, one request at a time. */
export interface Http1Connection {
  send(sending: Http1Sending): Promise<RawAnswer>;
  close(): void;
}

/** Makes a connection. It opens with the first request, and again after the server has closed it. */
export function createHttp1Connection(port: number, host = "127.0.0.1"): Http1Connection {
  let socket: Socket | undefined;

  function open(): Socket {
    const opened = connect({ port, host, noDelay: true, allowHalfOpen: false });
    // Errors show in the close event that follows.
    opened.on("error", () => {});
    return opened;
  }

  return {
    send({ bytes, timeoutMs, isEndless = false, isBodyless = false }) {
      if (socket === undefined || socket.destroyed || !socket.writable || socket.readableEnded) socket = open();
      const current = socket;
      const startedMs = performance.now();
      return new Promise<RawAnswer>((resolve) => {
        const parser = createHttp1Parser({ isBodyless });
        const finish = (end: RawAnswer["end"], answer: ParsedAnswer): void => {
          clearTimeout(timer);
          current.off("data", onData);
          current.off("close", onClose);
          const mayBeUsedAgain = end === "complete" && answer.headers.connection !== "close";
          if (!mayBeUsedAgain) current.destroy();
          resolve({ ...answer, trailers: {}, end, elapsedMs: performance.now() - startedMs });
        };
        const onData = (chunk: Buffer): void => {
          const whole = parser.push(chunk);
          if (whole !== undefined) finish("complete", whole);
          else if (isEndless && parser.soFar().body.byteLength > 0) finish("left", parser.soFar());
        };
        const onClose = (): void => {
          const whole = parser.end();
          finish(whole === undefined ? "closed" : "complete", whole ?? parser.soFar());
        };
        const timer = setTimeout(() => finish("late", parser.soFar()), timeoutMs);
        current.on("data", onData);
        current.on("close", onClose);
        current.write(bytes);
      });
    },
    close() {
      socket?.destroy();
      socket = undefined;
    },
  };
}
