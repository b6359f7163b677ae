import { once } from "node:events";
import { createServer as createHttpServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A received request. */
export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  /** The event's id: the `webhook-id`. */
  id: string;
}

/** Responds to a request, now or later. */
export type Answer = (response: ServerResponse, received: Received) => void;

/** A server that receives webhooks. */
export interface Receiver {
  readonly url: string;
  readonly port: number;
  /** Received requests, in order. */
  readonly received: Received[];
  /** Ids of the received events. */
  ids(): string[];
  /** Sets the response to later requests. Initially 204. */
  answer(answer: Answer | number): void;
  /** Requests without a response, now and at most so far. */
  readonly open: { now: number; most: number };
  /** Closes the server and its connections. */
  close(): Promise<void>;
}

/** Starts a receiver on a free port of 127.0.0.1. Closed with the test. */
export async function startReceiver({ tls }: { tls?: { cert: string; key: string } } = {}): Promise<Receiver> {
  const received: Received[] = [];
  const open = { now: 0, most: 0 };
  let respond: Answer = withStatus(204);
  const server = tls === undefined ? createHttpServer() : createHttpsServer(tls);
  server.on("request", (request, response) => {
    open.most = Math.max(open.most, ++open.now);
    response.on("close", () => open.now--);
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const one = { method, path: url, headers, body: Buffer.concat(chunks).toString(), id: String(headers["webhook-id"]) };
      received.push(one);
      respond(response, one);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(close);
  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}/hooks`,
    port,
    received,
    open,
    ids: () => received.map(({ id }) => id),
    answer(answer) {
      respond = typeof answer === "number" ? withStatus(answer) : answer;
    },
    close,
  };
}

function withStatus(status: number): Answer {
  return (response) => void response.writeHead(status).end();
}
