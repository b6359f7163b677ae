import { flushCompileCache } from "node:module";
import { createLogger, createMetrics, startGateway } from "@petak/gateway";
import { gatewayDefaults } from "../gateway-defaults.ts";
import type { Activity, GatewayProcessOptions, Measurement, Order, Reply } from "./gateway-messages.ts";

/**
 * A gateway in its own process, so that its memory can be measured and it can be killed. Controlled by messages; exits when its parent disconnects.
 */

/** Matches pino's levels error (50) and fatal (60). */
const wrongLine = /"level":[56]0/;

const wrongLines: string[] = [];
const logger = createLogger({
  level: "info",
  destination: {
    write: (line: string) => {
      if (!wrongLine.test(line)) return;
      wrongLines.push(line);
      // Print defects even if nobody reads the lines.
      if (line.includes('"msg":"defect"')) process.stderr.write(line);
    },
  },
});
// Node reports leaking listeners by itself.
process.on("warning", ({ name, message }) => {
  if (name === "MaxListenersExceededWarning") wrongLines.push(message);
});
const metrics = createMetrics({ processMetrics: false });

async function start({ admin, clockAheadMs = 0, ...options }: GatewayProcessOptions) {
  return await startGateway({
    ...gatewayDefaults,
    management: { host: "127.0.0.1", port: 0 },
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

/** Resources that come and go all the time, since a gateway's background tasks run without calls. */
const passing = new Set(["Timeout", "Immediate"]);

async function look(): Promise<Activity> {
  const inFlight = await metrics.rpcInFlight.get();
  const connections = await metrics.connections.get();
  return {
    inFlight: inFlight.values.reduce((sum, { value }) => sum + value, 0),
    connections: connections.values[0]?.value ?? 0,
    handles: process.getActiveResourcesInfo().filter((kind) => !passing.has(kind)),
    wrongLines,
  };
}

async function measure(): Promise<Measurement> {
  // Finalised objects may free others in the next round.
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return { ...(await look()), heapBytes: heapUsed, externalBytes: external };
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
    // Node would write its compile cache at exit, but this process may be killed.
    flushCompileCache();
    reply({ kind: "started", port: gateway.address.port, managementUrl: `http://127.0.0.1:${gateway.managementAddress?.port}` });
  } else if (order.kind === "look") {
    reply({ kind: "seen", activity: await look() });
  } else if (order.kind === "measure") {
    reply({ kind: "measured", measurement: await measure() });
  } else {
    await gateway?.stop();
    process.disconnect();
    process.exit(0);
  }
}
