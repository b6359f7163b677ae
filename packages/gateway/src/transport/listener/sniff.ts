import type { Socket } from "node:net";

/** The connection preface, which an HTTP/2 client sends first. */
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** The version of HTTP of a connection. */
export type HttpVersion = "http1" | "http2";

/** Returns the version that the first bytes reveal. Undefined while they are an incomplete preface. */
export function httpVersionOf(firstBytes: Uint8Array): HttpVersion | undefined {
  const known = Math.min(firstBytes.byteLength, preface.byteLength);
  if (!preface.subarray(0, known).equals(firstBytes.subarray(0, known))) return "http1";
  return known === preface.byteLength ? "http2" : undefined;
}

/**
 * Reads a connection until its first bytes reveal the version of HTTP, puts the bytes back, and hands the paused connection over. Closes it if
 * it ends first or takes longer than `timeoutMs`.
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

  // The server allows half-open connections, so nothing else closes one whose client sends nothing.
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
