/** The upper bound: `node:http` alone, which reads a request's body and sends bytes that it was given in base64. */
import { createServer } from "node:http";
import { announce, portOf } from "./announce.ts";

const [body = "", contentType = "application/json"] = process.argv.slice(2);
const bytes = Buffer.from(body, "base64");
const server = createServer((request, response) => {
  request.on("data", () => undefined);
  request.on("end", () => {
    response.writeHead(200, { "content-type": contentType, "content-length": bytes.length });
    response.end(bytes);
  });
});
server.listen(0, "127.0.0.1", () => announce({ port: portOf(server) }, () => server.closeAllConnections()));
