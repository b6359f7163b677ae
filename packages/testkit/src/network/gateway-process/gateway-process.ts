import { flushCompileCache } from "node:module";
import { createLogger, createMetrics, startGateway } from "@petak/gateway";
import { gatewayDefaults } from "../gateway-defaults.ts";
import type { GatewayProcessOptions, Measurement, Order, Reply } from "./gateway-messages.ts";

/**
 * A gateway in a process of its own, so that its memory can be measured and its death be seen. It is told what to do by messages, and
 * ends when whoever started it is gone.
 */

/** What the levels of pino's lines begin with where something is wrong: error is 50, fatal 60. */
const wrongLine = /"level":[56]0/;

const wrongLines: string[] = [];
const logger = createLogger({
  level: "info",
  destination: {
    write: (line: string) => {
      if (!wrongLine.test(line)) return;
      wrongLines.push(line);
      // Whoever meets one finds out why, also where nobody asks for the lines.
      if (line.includes('"msg":"defect"')) process.stderr.write(line);
    },
  },
});
// What adds up where it should not, says Node by itself.
process.on("warning", ({ name, message }) => {
  if (name === "MaxListenersExceededWarning") wrongLines.push(message);
});
const metrics = createMetrics({ processMetrics: false });

async function start({ admin, clockAheadMs = 0, ...options }: GatewayProcessOptions) {
  return await startGateway({
    ...gatewayDefaults,
    shutdownGraceMs: 2000,
    sweepIntervalMs: 1000,
    agentSyncIntervalMs: 60_000,
    now: () => Date.now() + clockAheadMs,
    followsStoreClock: true,
    ...options,
    ...(admin && { admin: { ...admin, publicKey: Buffer.from(admin.publicKey, "base64url") } }),
    logger,
    metrics,
  });
}

/** What comes and goes at all times: a gateway looks after its deadlines and its store also when nobody calls. */
const passing = new Set(["Timeout", "Immediate"]);

async function measure(): Promise<Measurement> {
  // What one collection finds dead may hold what the next finds.
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const inFlight = await metrics.rpcInFlight.get();
  const connections = await metrics.connections.get();
  return {
    heapBytes: process.memoryUsage().heapUsed,
    externalBytes: process.memoryUsage().external,
    inFlight: inFlight.values.reduce((sum, { value }) => sum + value, 0),
    connections: connections.values[0]?.value ?? 0,
    handles: process.getActiveResourcesInfo().filter((kind) => !passing.has(kind)).length,
    wrongLines,
  };
}

function reply(message: Reply): void {
  process.send?.(message);
}

let gateway: Awaited<ReturnType<typeof start>> | undefined;

process.on("disconnect", () => process.exit(1));
process.on("message", (order: Order) => {
  obey(order).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  });
});

async function obey(order: Order): Promise<void> {
  if (order.kind === "start") {
    gateway = await start(order.options);
    // Node keeps what it has compiled when a process ends, and this one may be killed.
    flushCompileCache();
    reply({ kind: "started", port: gateway.address.port });
  } else if (order.kind === "measure") {
    reply({ kind: "measured", measurement: await measure() });
  } else {
    await gateway?.stop();
    process.disconnect();
    process.exit(0);
  }
}
