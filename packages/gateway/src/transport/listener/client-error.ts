import type { Duplex } from "node:stream";
import { errorToJson } from "@connectrpc/connect/protocol-connect";
import { PetakError } from "@petak/protocol";
import { deadlineExceeded } from "../errors/adapter-error.ts";
import { wireError } from "../errors/wire-error.ts";

/** Answers bytes that are not an HTTP/1.1 request directly on the socket, and closes it. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, reason] = refusalOf(error.code);
  const body = JSON.stringify(errorToJson(wireError(reason, undefined), undefined));
  const length = Buffer.byteLength(body);
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`);
  // A client that continues to send must not keep the connection open.
  setTimeout(() => socket.destroy(), 1000).unref();
}

function refusalOf(code: string | undefined): [status: string, error: PetakError] {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return ["431 Request Header Fields Too Large", new PetakError("MESSAGE_TOO_LARGE", "The headers exceed the gateway's size limit.")];
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return ["408 Request Timeout", deadlineExceeded(undefined)];
    default:
      return ["400 Bad Request", new PetakError("MALFORMED_MESSAGE", "The request is not valid HTTP.")];
  }
}
