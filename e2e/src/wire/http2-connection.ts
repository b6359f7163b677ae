import { type ClientHttp2Session, connect, constants, type OutgoingHttpHeaders } from "node:http2";
import type { RawAnswer } from "./raw-answer.ts";

/** How to send one request. */
export interface Http2Sending {
  headers: OutgoingHttpHeaders;
  body: Uint8Array;
  /** The longest wait for the end of the response, in ms. */
  timeoutMs: number;
  /** Whether the response may be endless: its first bytes then suffice. */
  isEndless?: boolean;
  /** Cancels the call before the response. */
  signal?: AbortSignal;
  /** Whether the caller keeps its half of the stream open after the body. */
  keepsOpen?: boolean;
}

/** A cleartext HTTP/2 connection that sends exactly the given frames, many requests at a time. */
export interface Http2Connection {
  send(sending: Http2Sending): Promise<RawAnswer>;
  close(): void;
}

/**
 * A session is replaced after this many requests, as clients do, and because a server ends a session that resets too many streams. Streams
 * in progress on it end normally.
 */
const requestsPerSession = 250;

/** A session and its streams in progress. */
interface Slot {
  session: ClientHttp2Session;
  requests: number;
  underWay: number;
}

/** Makes a connection. It opens with the first request, and again after the server has closed it. */
export function createHttp2Connection(port: number, host = "127.0.0.1"): Http2Connection {
  let current: Slot | undefined;
  const slots = new Set<Slot>();

  function usable(): Slot {
    if (current === undefined || current.session.closed || current.session.destroyed || current.requests >= requestsPerSession) {
      const session = connect(`http://${host}:${port}`, { maxSessionMemory: 64 });
      const slot = { session, requests: 0, underWay: 0 };
      // Errors show in the streams.
      session.on("error", () => {});
      session.on("close", () => slots.delete(slot));
      slots.add(slot);
      if (current !== undefined) closeIfIdle(current);
      current = slot;
    }
    current.requests += 1;
    return current;
  }

  /** When a session is closed, Node refuses its streams that have not started to send. */
  function closeIfIdle({ session, underWay }: Slot): void {
    if (underWay === 0) session.close();
  }

  return {
    send({ headers, body, timeoutMs, isEndless = false, signal, keepsOpen = false }) {
      const startedMs = performance.now();
      return new Promise<RawAnswer>((resolve, reject) => {
        const slot = usable();
        let stream: ReturnType<ClientHttp2Session["request"]>;
        try {
          stream = slot.session.request(headers, { endStream: false });
        } catch (error) {
          reject(error);
          return;
        }
        slot.underWay += 1;
        let status = 0;
        let received: Record<string, string> = {};
        let trailers: Record<string, string> = {};
        let end: RawAnswer["end"] | undefined;
        const chunks: Buffer[] = [];
        const leave = (as: RawAnswer["end"]) => {
          end = as;
          stream.close(constants.NGHTTP2_CANCEL);
        };
        const timer = setTimeout(() => leave("late"), timeoutMs);
        signal?.addEventListener("abort", () => leave("left"));
        stream.on("response", (fields) => {
          status = Number(fields[":status"]);
          received = joined(fields);
        });
        stream.on("trailers", (fields) => {
          trailers = joined(fields);
        });
        stream.on("data", (chunk: Buffer) => {
          chunks.push(chunk);
          if (isEndless && end === undefined) leave("left");
        });
        stream.on("end", () => {
          end ??= "complete";
          // The other side has finished: an open half of the stream serves no purpose.
          if (keepsOpen) stream.end();
        });
        stream.on("error", () => {});
        stream.on("close", () => {
          clearTimeout(timer);
          slot.underWay -= 1;
          if (slot !== current) closeIfIdle(slot);
          // A response that is reset after its end is valid; without a header it is none.
          const ending = status === 0 && end === "complete" ? "closed" : (end ?? "closed");
          resolve({
            status,
            headers: received,
            trailers,
            body: Buffer.concat(chunks),
            end: ending,
            elapsedMs: performance.now() - startedMs,
          });
        });
        if (keepsOpen) stream.write(body);
        else stream.end(body);
      });
    },
    close() {
      for (const { session } of slots) session.close();
    },
  };
}

function joined(fields: Readonly<Record<string, string | string[] | number | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : String(value)]));
}
