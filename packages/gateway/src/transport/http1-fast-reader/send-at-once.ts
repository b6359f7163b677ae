import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { ByteOutput } from "../http/byte-output.ts";

/** The longest body that is copied behind its head, in bytes. Up to this length, the copy is faster than a second write. */
const copyMaxBytes = 16 * 1024;

let output = new ByteOutput(copyMaxBytes + 1024);

/** Writes head and body at once. The caller may reuse the body's memory afterwards. */
export function sendAtOnce(socket: Socket, head: string, body: Uint8Array | string, bodyBytes: number): void {
  if (typeof body === "string") {
    // As many bytes as characters means ASCII, which is the same in Latin-1.
    if (bodyBytes === body.length) socket.write(head + body, "latin1");
    else sendAtOnce(socket, head, Buffer.from(body), bodyBytes);
  } else if (bodyBytes > copyMaxBytes) {
    socket.cork();
    socket.write(head, "latin1");
    socket.write(Buffer.from(body));
    socket.uncork();
  } else {
    output.clear().latin1(head);
    output.bytes(body);
    if (socket instanceof TLSSocket) {
      // TLS encrypts later, so it needs its own copy.
      socket.write(Buffer.from(output.written));
    } else {
      socket.write(output.written);
      // What the operating system did not accept at once is still read from this memory.
      if (socket.writableLength > 0) output = new ByteOutput(copyMaxBytes + 1024);
    }
  }
}
