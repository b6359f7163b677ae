import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A span as exported. Its attributes, and those of what sent it, as plain values. */
export interface CollectedSpan {
  name: string;
  /** 2: of a server, 3: of a client. */
  kind: number;
  traceId: string;
  spanId: string;
  /** Undefined for the first span of a trace. */
  parentSpanId: string | undefined;
  startMs: number;
  endMs: number;
  attributes: Record<string, string | number | boolean>;
  resource: Record<string, string | number | boolean>;
  /** 2: an error. */
  statusCode: number;
  links: { traceId: string; spanId: string }[];
}

/** A collector of traces. */
export interface TraceCollector {
  /** For the gateway's `otlpEndpoint`. */
  readonly endpoint: string;
  /** What was exported so far. */
  readonly spans: CollectedSpan[];
  /** Sets the status of its answers. Initially 200. What is not taken is not collected. */
  answer(status: number): void;
  stop(): Promise<void>;
}

type Values = { key: string; value: { stringValue?: string; intValue?: number | string; doubleValue?: number; boolValue?: boolean } }[];

interface SentSpan extends Omit<CollectedSpan, "attributes" | "resource" | "statusCode"> {
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes?: Values;
  status?: { code?: number };
}

interface SentTraces {
  resourceSpans: { resource: { attributes: Values }; scopeSpans: { spans: SentSpan[] }[] }[];
}

/** Starts a collector that takes traces by OTLP over HTTP, in JSON, on a free port. */
export async function startTraceCollector(): Promise<TraceCollector> {
  const spans: CollectedSpan[] = [];
  let status = 200;
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
    const isOtlp = request.method === "POST" && request.url === "/v1/traces" && request.headers["content-type"] === "application/json";
    if (isOtlp && status === 200) spans.push(...spansOf(JSON.parse(body.toString()) as SentTraces));
    response.writeHead(isOtlp ? status : 404, { "content-type": "application/json" }).end("{}");
  };
  // Whoever sends may break off.
  const server = createServer((request, response) => void take(request, response).catch(() => response.destroy()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    answer(next) {
      status = next;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function spansOf({ resourceSpans }: SentTraces): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((scope) =>
      scope.spans.map((span) => ({
        ...{ name: span.name, kind: span.kind, traceId: span.traceId, spanId: span.spanId },
        parentSpanId: span.parentSpanId || undefined,
        startMs: Number(span.startTimeUnixNano) / 1e6,
        endMs: Number(span.endTimeUnixNano) / 1e6,
        attributes: plain(span.attributes),
        resource: plain(resource.attributes),
        statusCode: span.status?.code ?? 0,
        links: (span.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
      })),
    ),
  );
}

function plain(attributes: Values = []): CollectedSpan["attributes"] {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.boolValue ?? Number(value.intValue ?? value.doubleValue)]),
  );
}
