import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, isIP } from "node:net";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { PetakError, toConnectError, validateMessage } from "@petak/protocol";
import type { AgentLogger } from "../logger.ts";
import { type AppFile, readAppFiles } from "./app-files.ts";
import { certificatePage } from "./certificate-page.ts";
import type { Counter } from "./counter.ts";
import { serveCounter } from "./counter-service.ts";
import { createRequestGuard } from "./request-guard.ts";

/** Options of {@link startCounterServer}. */
export interface CounterServerOptions {
  readonly counter: Counter;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Undefined: plain HTTP, without which browsers give pages neither camera nor work without a connection. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** The certificate to install on tablets, in PEM: served as `/ca.crt`, with a page about it at `/certificate`. */
  readonly ca?: string | undefined;
  /** Names of the device that its certificate has. */
  readonly names?: readonly string[];
  /** The folder of the app. */
  readonly appFolder?: string | undefined;
  readonly logger: AgentLogger;
  /** A clock that only goes on, in ms, by which calls are limited. Default: `performance.now`. */
  readonly elapsedMs?: () => number;
}

/** A server to which the tablets at a counter connect. */
export interface CounterServer {
  /** Its address. */
  readonly url: string;
  /** Ends all connections. */
  stop(): Promise<void>;
}

const connectionsMax = 64;
const headersMaxBytes = 8192;
const requestMaxBytes = 600_000;
const requestTimeoutMs = 30_000;
const headersTimeoutMs = 10_000;

/** Scripts and everything else come from the agent itself; nobody may frame it. WebAssembly is for the scanner, which has no other way. */
const securityHeaders = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "img-src 'self' blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "media-src 'self' blob:",
    "manifest-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(self), microphone=(), geolocation=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** Starts it. Rejects if the port cannot be opened. */
export async function startCounterServer(options: CounterServerOptions): Promise<CounterServer> {
  const { counter, host, port, tls, logger, ca, names = [], elapsedMs = () => performance.now() } = options;
  const scheme = tls === undefined ? "http" : "https";
  const files = readAppFiles(options.appFolder);
  const guard = createRequestGuard({ scheme, names, nowMs: elapsedMs });
  const call = connectNodeAdapter({
    routes: (router) => serveCounter(router, counter, tls !== undefined),
    interceptors: [checked(logger)],
    readMaxBytes: requestMaxBytes,
    shutdownSignal: undefined,
    fallback: (request, response) => answerFile(files, ca, request as IncomingMessage, response as ServerResponse),
  });

  function handle(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    const turned = guard(request);
    if (turned !== undefined) {
      response.writeHead(turned.status, { "content-type": "text/plain", connection: "close" }).end(`${turned.reason}\n`);
      return;
    }
    call(request, response);
  }

  const limits = { maxHeaderSize: headersMaxBytes, requestTimeout: requestTimeoutMs, headersTimeout: headersTimeoutMs };
  const server: Server = tls === undefined ? createHttpServer(limits, handle) : createHttpsServer({ ...limits, ...tls }, handle);
  server.maxConnections = connectionsMax;
  server.on("error", (error) => logger.error({ err: error }, "the counter's server has failed"));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const { port: opened } = server.address() as AddressInfo;
  return {
    url: `${scheme}://${isIP(host) === 6 ? `[${host}]` : host}:${opened}`,
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Validates each request, and says nothing of what failed inside. */
function checked(logger: AgentLogger): Interceptor {
  return (next) => async (request) => {
    const { input } = request.method;
    try {
      if (request.stream) return await next({ ...request, message: each(request.message, (message) => validateMessage(input, message)) });
      validateMessage(input, request.message as MessageShape<DescMessage>);
      return await next(request);
    } catch (error) {
      if (error instanceof PetakError) throw toConnectError(error);
      if (!(error instanceof Error && error.name === "ConnectError")) logger.error({ err: error }, "a call of a tablet has failed");
      throw error;
    }
  };
}

async function* each<Message>(messages: AsyncIterable<Message>, check: (message: Message) => void): AsyncIterable<Message> {
  for await (const message of messages) {
    check(message);
    yield message;
  }
}

function answerFile(files: ReadonlyMap<string, AppFile>, ca: string | undefined, request: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(request.url ?? "/", "http://any");
  if (pathname === "/ca.crt" && ca !== undefined) {
    response.writeHead(200, { "content-type": "application/x-x509-ca-cert" }).end(ca);
    return;
  }
  if (pathname === "/certificate") {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(certificatePage(ca));
    return;
  }
  const file = files.get(pathname);
  if (file === undefined || (request.method !== "GET" && request.method !== "HEAD")) {
    response.writeHead(404, { "content-type": "text/plain" }).end("there is nothing here\n");
    return;
  }
  const { type, body, etag } = file;
  const headers = { "content-type": type, etag, "cache-control": "no-cache" };
  if (request.headers["if-none-match"] === etag) response.writeHead(304, headers).end();
  else response.writeHead(200, { ...headers, "content-length": body.length }).end(request.method === "HEAD" ? undefined : body);
}
