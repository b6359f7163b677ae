/** The peer: connect-node's own adapter with one RPC that does nothing, over HTTP/1.1 or, with `h2`, cleartext HTTP/2. */
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { Health, HealthCheckResponse_ServingStatus } from "@petak/protocol/grpc";
import { announce, portOf } from "./announce.ts";

const adapter = connectNodeAdapter({
  routes: (router) => router.service(Health, { check: () => ({ status: HealthCheckResponse_ServingStatus.SERVING }) }),
});
const server = process.argv[2] === "h2" ? createHttp2Server(adapter) : createServer(adapter);
server.listen(0, "127.0.0.1", () => announce({ port: portOf(server) }, () => undefined));
