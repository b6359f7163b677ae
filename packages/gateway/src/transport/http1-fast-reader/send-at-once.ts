import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { ByteOutput } from "../http/byte-output.ts";

/** Up to this length a body of bytes is copied behind its head, which takes less time than a second write, in bytes. */
const copyMaxBytes = 16 * 1024;

let output = new ByteOutput(copyMaxBytes + 1024);

/** Writes head and body in one go. The body may be used again afterwards. */
export function sendAtOnce(socket: Socket, head: string, body: Uint8Array | string, bodyBytes: number): void {
  if (typeof body === "string") {
    // Of as many bytes as characters: nothing but ASCII, which Latin-1 has too.
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
      // Encrypted later.
      socket.write(Buffer.from(output.written));
    } else {
      socket.write(output.written);
      // What the system did not take at once is still read from there.
      if (socket.writableLength > 0) output = new ByteOutput(copyMaxBytes + 1024);
    }
  }
}
