import type { Socket } from "node:net";

/** Up to this length a body of bytes is copied behind its head, which takes less time than a second write, in bytes. */
const copyMaxBytes = 16 * 1024;

/** Writes head and body in one go. */
export function sendAtOnce(socket: Socket, head: string, body: Uint8Array | string, bodyBytes: number): void {
  if (typeof body === "string") {
    // Of as many bytes as characters: nothing but ASCII, which Latin-1 has too.
    if (bodyBytes === body.length) socket.write(head + body, "latin1");
    else sendAtOnce(socket, head, Buffer.from(body), bodyBytes);
  } else if (bodyBytes <= copyMaxBytes) {
    const bytes = Buffer.allocUnsafe(head.length + bodyBytes);
    bytes.write(head, "latin1");
    bytes.set(body, head.length);
    socket.write(bytes);
  } else {
    socket.cork();
    socket.write(head, "latin1");
    socket.write(body);
    socket.uncork();
  }
}
