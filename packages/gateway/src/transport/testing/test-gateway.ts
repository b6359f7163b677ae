import { Code, ConnectError, type HandlerContext, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { CustodyService, DirectoryService, PetakError } from "@petak/protocol";
import { Health } from "@petak/protocol/grpc";
import { testCertificate, testKey } from "@petak/testkit";
import { inject, onTestFinished } from "vitest";
import { createLogger } from "../../observability/logger.ts";
import { createMetrics, type Metrics } from "../../observability/metrics.ts";
import type { Tracing } from "../../observability/tracing.ts";
import { type CallerAccounts, noCallerAccounts } from "../call/caller-accounts.ts";
import type { CallLimits } from "../limits/call-limits.ts";
import type { ServerLimits } from "../limits/server-limits.ts";
import type { TlsIdentity } from "../listener/front-server.ts";
import { createOnePortServer, type OnePortServer } from "../listener/one-port-server.ts";
import { createRequestListener } from "../listener/request-listener.ts";
import { healthRoutes, landingRoute, type ReadinessCheck } from "../plain-http/operational-routes.ts";
import { createHealth, type GatewayHealth } from "../standard-services/health.ts";
import { createReflection } from "../standard-services/reflection.ts";

/** Options of {@link startTestGateway}. */
export interface TestGatewayOptions {
  /** True: with the certificate of tests. */
  tls?: boolean | TlsIdentity;
  limits?: Partial<CallLimits>;
  serverLimits?: Partial<ServerLimits>;
  checks?: Record<string, ReadinessCheck>;
  /** Runs in FindNearest before it answers. */
  onFindNearest?: (signal: AbortSignal, context: HandlerContext) => Promise<void> | void;
  /** Identifies the caller of a call whose headers have no Authorization. Default: lets it pass. */
  identify?: CallerAccounts["identify"];
  /** Returns the messages of WatchEvents. */
  watchEvents?: (signal: AbortSignal) => AsyncIterable<{ cursor: string }>;
  /** Records calls as spans. */
  tracing?: Tracing;
  /** Whether plain calls take the unary fast path. Default: as the test run provides, since the tests run with it and without it. */
  hasUnaryFastPath?: boolean;
  /** Whether the HTTP/1.1 fast reader reads them, where they come over HTTP/1.1. Default true. */
  hasHttp1FastReader?: boolean;
}

declare module "vitest" {
  interface ProvidedContext {
    hasUnaryFastPath?: boolean;
  }
}

/** The transport of a gateway with two small services, on a free port. */
export interface TestGateway {
  baseUrl: string;
  port: number;
  server: OnePortServer;
  metrics: Metrics;
  health: GatewayHealth;
  shutdown: AbortController;
  /** The log lines so far. */
  lines: Record<string, unknown>[];
  /** The number of calls that the HTTP/1.1 fast reader read. */
  fastReaderCalls(): number;
}

/** Starts a test gateway, and stops it at the end of the test. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({ level: "debug", destination: { write: (line: string) => void lines.push(JSON.parse(line)) } });
  const metrics = createMetrics({ processMetrics: false });
  const shutdown = new AbortController();
  const health = createHealth([DirectoryService.typeName, CustodyService.typeName]);
  health.setServing(true);
  const reflection = createReflection([DirectoryService, CustodyService, Health]);
  const requestListener = createRequestListener({
    logger,
    metrics,
    shutdownSignal: shutdown.signal,
    tracing: options.tracing,
    hasUnaryFastPath: options.hasUnaryFastPath ?? inject("hasUnaryFastPath") ?? true,
    hasHttp1FastReader: options.hasHttp1FastReader ?? true,
    callers: { ...callersByHeader, ...(options.identify && { identify: options.identify }) },
    // Tests make thousands of invalid calls and health checks, which would otherwise be answered later, and hold calls for as long as they take.
    limits: { callerRefusalsPerSecond: 10_000_000, defaultTimeoutMs: 600_000, maxTimeoutMs: 600_000, ...options.limits },
    plainRoutes: healthRoutes({ logger, checks: options.checks ?? {}, isServing: health.isServing }).set("/", landingRoute),
    routes(router) {
      router.service(DirectoryService, {
        async findNearest({ limit, operatorIds }, context) {
          await options.onFindNearest?.(context.signal, context);
          if (limit === 13) throw new Error("secret of the house");
          if (limit === 14) throw new PetakError("SITE_NOT_FOUND", `${operatorIds[0]}: no such site.`);
          if (limit === 15) throw new ConnectError("bare", Code.DataLoss);
          return { options: [{ sizeClassId: "M", freeToPromise: limit, distanceM: 12.5 }] };
        },
      });
      router.service(CustodyService, {
        watchEvents: (_request, { signal }) => options.watchEvents?.(signal) ?? threeEvents(),
      });
      health.routes(router);
      reflection.routes(router);
    },
  });
  const { bufferedCalls } = requestListener;
  let fastReaderCalls = 0;
  const counted = bufferedCalls && {
    plan: bufferedCalls.plan,
    begin(...about: Parameters<typeof bufferedCalls.begin>) {
      fastReaderCalls += 1;
      return bufferedCalls.begin(...about);
    },
  };
  const server = createOnePortServer({
    requestListener: Object.assign(requestListener.bind(undefined), { takeStream: requestListener.takeStream, bufferedCalls: counted }),
    logger,
    metrics,
    ...(options.tls && { tls: options.tls === true ? { cert: testCertificate, key: testKey } : options.tls }),
    ...(options.serverLimits && { limits: options.serverLimits }),
  });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(async () => {
    shutdown.abort();
    await server.close(0);
  });
  const baseUrl = `${options.tls ? "https" : "http"}://127.0.0.1:${port}`;
  return { baseUrl, port, server, metrics, health, shutdown, lines, fastReaderCalls: () => fastReaderCalls };
}

/** Takes the Authorization header for the account of the caller. */
const callersByHeader: CallerAccounts = { ...noCallerAccounts, recall: (authorization) => authorization };

async function* threeEvents(): AsyncGenerator<{ cursor: string }> {
  yield { cursor: "a" };
  yield { cursor: "b" };
  yield { cursor: "c" };
}

/** A valid request. */
export const goodRequest = {
  origin: { latitude: 1.3, longitude: 103.8 },
  parcel: { widthMm: 100, heightMm: 100, depthMm: 100, massG: 500 },
  limit: 3,
};

/** Every transport of connect-node's clients, by name. */
export const transports: Record<string, (baseUrl: string) => Transport> = {
  "Connect JSON over HTTP/1.1": (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false, nodeOptions }),
  "Connect binary over HTTP/1.1": (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: true, nodeOptions }),
  "Connect JSON over HTTP/2": (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2", useBinaryFormat: false, nodeOptions }),
  "Connect binary over HTTP/2": (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2", useBinaryFormat: true, nodeOptions }),
  "gRPC over HTTP/2": (baseUrl) => createGrpcTransport({ baseUrl, nodeOptions }),
  "gRPC-Web over HTTP/1.1": (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1", nodeOptions }),
  "gRPC-Web over HTTP/2": (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "2", nodeOptions }),
};

const nodeOptions = { rejectUnauthorized: false };
