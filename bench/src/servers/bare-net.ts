/**
 * The upper bound below HTTP: `node:net` alone, which counts a request's bytes and sends the response that it was given in base64,
 * including the status line.
 */
import { createServer } from "node:net";
import { announce, portOf } from "./announce.ts";

const [answer = ""] = process.argv.slice(2);
const bytes = Buffer.from(answer, "base64");
const server = createServer((socket) => {
  socket.setNoDelay(true);
  let requestLength = 0;
  let received = 0;
  socket.on("data", (chunk) => {
    // All requests of a connection are as long as its first.
    if (requestLength === 0) requestLength = lengthOf(chunk);
    received += chunk.length;
    while (received >= requestLength) {
      received -= requestLength;
      socket.write(bytes);
    }
  });
  socket.on("error", () => socket.destroy());
});
server.listen(0, "127.0.0.1", () => announce({ port: portOf(server) }, () => undefined));

function lengthOf(request: Buffer): number {
  const headers = request.indexOf("\r\n\r\n") + 4;
  if (headers < 4) throw new Error("a request whose headers arrive in parts");
  const body = /^content-length: *(\d+)/im.exec(request.toString("latin1", 0, headers))?.[1];
  return headers + Number(body ?? 0);
}
