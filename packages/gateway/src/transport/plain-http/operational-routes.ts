import { catalogue, errorDomain } from "@petak/protocol";
import type { Logger } from "../../observability/logger.ts";
import type { Metrics } from "../../observability/metrics.ts";

/** What a plain HTTP route answers. */
export interface PlainAnswer {
  /** Default 200. */
  status?: number;
  contentType: string;
  body: string;
  /** Further headers, e.g. `cache-control`. */
  headers?: Record<string, string>;
}

/** What a plain HTTP route is told. */
export interface PlainRequest {
  /** The path without the query. */
  path: string;
  /** The Accept header, empty where there is none. */
  accept: string;
}

/** Answers GET and HEAD of one path. */
export type PlainRoute = (request: PlainRequest) => PlainAnswer | Promise<PlainAnswer>;

/** Says by throwing that something the gateway needs is not there. */
export type ReadinessCheck = () => Promise<void> | void;

/** What the operational routes show. */
export interface OperationalRoutesOptions {
  metrics: Metrics;
  logger: Logger;
  /** What must hold for the gateway to be ready, by name, e.g. `redis`. */
  checks: Record<string, ReadinessCheck>;
  /** What is well or not and does not make the gateway unready, by name, e.g. `archive`. Default: nothing. */
  notes?: () => Record<string, string>;
  /** Whether the gateway takes calls: false before the start is done and after the stop has begun. */
  isServing: () => boolean;
  /** How long a check may take, in ms. Default 2000: probes commonly wait for little more. */
  checkTimeoutMs?: number;
}

/**
 * `/livez` (the process answers), `/readyz` (it can do its work), `/metrics` (Prometheus) and `/` (what this is).
 *
 * `/readyz` answers 200 with `{"status":"ready","checks":{"redis":"ok"}}`, or 503 with `failing` or `stopping`.
 * What is noted stands beside them: `"archive":"ok"`.
 */
export function operationalRoutes(options: OperationalRoutesOptions): Map<string, PlainRoute> {
  const { metrics, logger, checks, notes, isServing, checkTimeoutMs = 2000 } = options;
  /** What did not hold when it was last asked for: somebody asks every few seconds, and is told of in the log when it changes. */
  const failing = new Set<string>();

  async function resultOf(name: string, check: ReadinessCheck): Promise<[string, string]> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`no answer within ${checkTimeoutMs} ms`)), checkTimeoutMs);
    try {
      await Promise.race([check(), late.promise]);
      if (failing.delete(name)) logger.info({ check: name }, "ready again");
      return [name, "ok"];
    } catch (error) {
      if (!failing.has(name)) logger.warn({ check: name, reason: (error as Error).message }, "not ready");
      failing.add(name);
      return [name, "failing"];
    } finally {
      clearTimeout(timer);
    }
  }

  return new Map<string, PlainRoute>([
    ["/livez", () => json({ status: "live" })],
    [
      "/readyz",
      async () => {
        const results = await Promise.all(Object.entries(checks).map(([name, check]) => resultOf(name, check)));
        const failing = results.some(([, result]) => result !== "ok");
        const status = !isServing() ? "stopping" : failing ? "failing" : "ready";
        return json({ status, checks: Object.fromEntries(results), ...notes?.() }, status === "ready" ? 200 : 503);
      },
    ],
    ["/metrics", async () => ({ contentType: metrics.registry.contentType, body: await metrics.registry.metrics(), headers: noStore })],
    ["/", ({ accept }) => landingPage(accept.includes("text/html"))],
  ]);
}

/** A JSON answer that no cache keeps. */
export function json(value: unknown, status = 200): PlainAnswer {
  return { status, contentType: "application/json", body: `${JSON.stringify(value)}\n`, headers: noStore };
}

const noStore = { "cache-control": "no-store" };

function landingPage(asHtml: boolean): PlainAnswer {
  const lines = [
    "This is a Petak gateway: parcel lockers and collection points, for any courier, shop and consumer.",
    `It speaks ${errorDomain} as gRPC, gRPC-Web and Connect on this port. Server reflection lists its methods.`,
    `Every error carries one of ${Object.keys(catalogue).length} reasons; docs/errors.md of the project explains them.`,
  ];
  const pages = ["/livez", "/readyz", "/metrics", "/.well-known/petak/jwks.json", "/.well-known/petak/issuer-keys.json"];
  if (!asHtml) return { contentType: "text/plain; charset=utf-8", body: `${[...lines, ...pages].join("\n")}\n` };
  const links = pages.map((page) => `<li><a href="${page}">${page}</a></li>`).join("");
  const paragraphs = lines.map((line) => `<p>${line}</p>`).join("");
  return {
    contentType: "text/html; charset=utf-8",
    body: `<!doctype html><html lang="en"><meta charset="utf-8"><title>Petak gateway</title><h1>Petak gateway</h1>${paragraphs}<ul>${links}</ul></html>\n`,
    headers: { "content-security-policy": "default-src 'none'" },
  };
}
