import { catalogue, errorDomain } from "@petak/protocol";
import type { Logger } from "../../observability/logger.ts";
import type { Metrics } from "../../observability/metrics.ts";

/** The answer of a plain HTTP route. */
export interface PlainAnswer {
  /** Default 200. */
  status?: number;
  contentType: string;
  /** Text, bytes, or bytes in parts. It is sent as it is: many answers may share it. */
  body: string | Uint8Array | readonly Uint8Array[];
  /** Further headers, e.g. `cache-control`. */
  headers?: Record<string, string>;
}

/** The request to a plain HTTP route. */
export interface PlainRequest {
  /** The path without the query. */
  path: string;
  /** The Accept header. Empty if there is none. */
  accept: string;
  /** The Accept-Encoding and If-None-Match headers. Empty if there is none. */
  acceptEncoding: string;
  ifNoneMatch: string;
}

/** Answers GET and HEAD of one path. */
export type PlainRoute = (request: PlainRequest) => PlainAnswer | Promise<PlainAnswer>;

/** Throws if something that the gateway needs is not available. */
export type ReadinessCheck = () => Promise<void> | void;

/** Options of {@link healthRoutes}. */
export interface HealthRoutesOptions {
  logger: Logger;
  /** The checks that must pass for the gateway to be ready, by name, e.g. `redis`. */
  checks: Record<string, ReadinessCheck>;
  /** Further states, by name, e.g. `archive`, which do not affect readiness. Default: none. */
  notes?: () => Record<string, string>;
  /** Whether some calls are refused although the gateway is ready. Default: never. */
  isDegraded?: () => boolean;
  /** Whether the gateway accepts calls: false until it has started and once it is stopping. */
  isServing: () => boolean;
  /** How long a check may take, in ms. Default 2000: probes commonly wait little longer. */
  checkTimeoutMs?: number;
}

/** Returns the page `/metrics`, which Prometheus reads. */
export function metricsRoute({ registry }: Metrics): PlainRoute {
  return async () => ({ contentType: registry.contentType, body: await registry.metrics(), headers: noStore });
}

/**
 * Returns the pages `/livez` (the process answers) and `/readyz` (it can do its work).
 *
 * `/readyz` answers 200 with `{"status":"ready","checks":{"redis":"ok"}}`, or `degraded` in place of `ready`, or 503 with `failing` or `stopping`.
 * The notes stand beside the checks: `"archive":"ok"`.
 */
export function healthRoutes(options: HealthRoutesOptions): Map<string, PlainRoute> {
  const { logger, checks, notes, isDegraded, isServing, checkTimeoutMs = 2000 } = options;
  /** The checks that failed last time. Probes ask every few seconds, but only changes are logged. */
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
        const isOut = !isServing() || failing;
        const status = !isServing() ? "stopping" : failing ? "failing" : isDegraded?.() === true ? "degraded" : "ready";
        return json({ status, checks: Object.fromEntries(results), ...notes?.() }, isOut ? 503 : 200);
      },
    ],
  ]);
}

/** Returns a JSON answer that caches must not store. */
export function json(value: unknown, status = 200): PlainAnswer {
  return { status, contentType: "application/json", body: `${JSON.stringify(value)}\n`, headers: noStore };
}

const noStore = { "cache-control": "no-store" };

/** Answers `/`: what this is. */
export const landingRoute: PlainRoute = ({ accept }) => landingPage(accept.includes("text/html"));

function landingPage(asHtml: boolean): PlainAnswer {
  const lines = [
    "This is a Petak gateway: parcel lockers and collection points, for any courier, shop and consumer.",
    `It speaks ${errorDomain} as gRPC, gRPC-Web and Connect on this port. /reference lists its methods.`,
    `Every error carries one of ${Object.keys(catalogue).length} reasons; docs/errors.md of the project explains them.`,
  ];
  const pages = ["/livez", "/readyz", "/.well-known/petak/jwks.json", "/.well-known/petak/issuer-keys.json"];
  if (!asHtml) return { contentType: "text/plain; charset=utf-8", body: `${[...lines, ...pages].join("\n")}\n` };
  const head =
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>Petak gateway</title>';
  const links = pages.map((page) => `<li><a href="${page}">${page}</a></li>`).join("");
  const paragraphs = lines.map((line) => `<p>${line}</p>`).join("");
  return {
    contentType: "text/html; charset=utf-8",
    body: `<!doctype html><html lang="en">${head}<h1>Petak gateway</h1>${paragraphs}<ul>${links}</ul></html>\n`,
    headers: { "content-security-policy": "default-src 'none'" },
  };
}
