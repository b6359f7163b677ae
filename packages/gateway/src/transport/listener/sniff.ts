import type { Socket } from "node:net";

/** What an HTTP/2 client sends first. */
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** What a connection speaks. */
export type HttpVersion = "http1" | "http2";

/** What the first bytes say. Undefined while they are the beginning of the preface and not yet all of it. */
export function httpVersionOf(firstBytes: Uint8Array): HttpVersion | undefined {
  const known = Math.min(firstBytes.byteLength, preface.byteLength);
  if (!preface.subarray(0, known).equals(firstBytes.subarray(0, known))) return "http1";
  return known === preface.byteLength ? "http2" : undefined;
}

/**
 * Reads the first bytes of a connection until they tell the protocol, puts them back, and hands the connection over, paused. A connection
 * that ends first, or does not tell within the time, is closed.
 */
export function sniff(socket: Socket, timeoutMs: number, handOver: (version: HttpVersion) => void): void {
  let firstBytes: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(), timeoutMs);

  function onData(chunk: Buffer): void {
    firstBytes = firstBytes.byteLength === 0 ? chunk : Buffer.concat([firstBytes, chunk]);
    const version = httpVersionOf(firstBytes);
    if (version === undefined) return;
    stop();
    socket.pause();
    socket.unshift(firstBytes);
    handOver(version);
  }

  // The server allows half-open connections, so nobody else closes one whose client has nothing to say.
  function onEnd(): void {
    stop();
    socket.destroy();
  }

  function stop(): void {
    clearTimeout(timer);
    socket.off("data", onData);
    socket.off("end", onEnd);
    socket.off("close", stop);
  }

  socket.on("data", onData);
  socket.on("end", onEnd);
  socket.on("close", stop);
}
