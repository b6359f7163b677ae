import { createLogger } from "@petak/gateway";
import { toFailure } from "../../failure.ts";
import { type ServedGateway, serveGateway } from "../serve-gateway.ts";
import type { FromWorker, Readiness, ToWorker, WorkerReport } from "./messages.ts";

/** One worker of a gateway: a process that serves the port together with others. */

// Ctrl-C in a terminal, and its end, reach all processes. The first one decides what they mean.
for (const name of ["SIGINT", "SIGHUP"] as const) process.on(name, () => {});
const stopping = Promise.withResolvers<void>();
process.on("SIGTERM", () => stopping.resolve());

let served: ServedGateway | undefined;

process.on("message", (message: ToWorker) => {
  if (message.kind === "serve") void serve(message);
  else if (message.kind === "stop") stopping.resolve();
  else if (message.kind === "reload") void served?.reload();
  else if (served !== undefined) void report(served, message.number);
});

async function serve({ worker, config, cwd }: Extract<ToWorker, { kind: "serve" }>): Promise<void> {
  const logger = createLogger({ level: config.logLevel, worker });
  try {
    served = await serveGateway(config, cwd, logger, { hasManagement: false });
    const { gateway, url, ended } = served;
    await tell({ kind: "listening", address: gateway.address, url });
    const failure = await Promise.race([stopping.promise, ended]);
    await served.stop();
    if (failure !== undefined) throw failure;
  } catch (error) {
    const { message, reason } = toFailure(error, "");
    await tell({ kind: "failed", message, reason });
    process.exit(1);
  }
  process.exit(0);
}

async function report({ gateway, metrics }: ServedGateway, number: number): Promise<void> {
  const ready = gateway.managementPages.get("/readyz");
  const answer = await ready?.({ path: "/readyz", accept: "", acceptEncoding: "", ifNoneMatch: "" });
  const page = JSON.parse(String(answer?.body ?? '{"status":"failing"}')) as Readiness;
  const told: WorkerReport = {
    metrics: await metrics.registry.getMetricsAsJSON(),
    readiness: { status: answer?.status ?? 503, page },
  };
  await tell({ kind: "report", number, report: told });
}

/** Resolves when the message is sent, or the first process is gone. */
function tell(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) return resolve();
    process.send(message, () => resolve());
  });
}
