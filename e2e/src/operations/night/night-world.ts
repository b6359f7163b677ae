import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { SimulatedTerminal } from "@petak/agent/simulation";
import { createPetakClient, type PetakClient } from "@petak/client/node";
import { Act, CancellationReason, Role } from "@petak/protocol";
import { freePort, makeSite, searchPathForFullDisk, startTestServer, type TestServer, tempDir } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { Redis } from "ioredis";
import { type StartedPetak, startPetak } from "../../testing/petak-process.ts";
import { type RunningPrometheus, startPrometheus } from "./prometheus.ts";

const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };

/** A gateway of `petak gateway`, which can be killed and started again. */
export interface NightGateway {
  readonly url: string;
  readonly management: string;
  /** The file with the log of all its starts, as of now. */
  logFile(): Promise<string>;
  lines(): { msg: string; pid?: number }[];
  readonly petak: StartedPetak;
  start(): Promise<void>;
}

/** Everything that fails in a night. */
export interface NightWorld {
  readonly prometheus: RunningPrometheus;
  readonly server: TestServer;
  /** Redis's administrator. */
  readonly tool: Redis;
  readonly network: TestNetwork;
  /** The gateway of two workers, of which a caller may have four calls. */
  readonly main: NightGateway;
  /** One that handles four calls at once. */
  readonly narrow: NightGateway;
  /** One with TLS, for eight connections. */
  readonly secure: NightGateway;
  readonly archiveDir: string;
  /** Its certificate and its key. */
  readonly certificate: { cert: string; key: string };
  readonly couriers: readonly TestParticipant[];
  readonly courierClient: PetakClient;
  /** A site without a device. */
  readonly siteId: string;
  /** A terminal whose agent calls the network's own gateway, and a token for it. */
  readonly terminal: SimulatedTerminal;
  readonly token: string;
  /** How the receiver of webhooks answers. */
  receiver: { status: number };
  stop(): Promise<void>;
}

async function gatewayOf(folder: string, name: string, flags: Record<string, string | number>): Promise<NightGateway> {
  const [port, managementPort] = [await freePort(), await freePort()];
  const given = { port, management: `127.0.0.1:${managementPort}`, ...flags };
  const args = Object.entries(given).map(([flag, value]) => (value === "" ? `--${flag}` : `--${flag}=${value}`));
  const listens = "workers" in flags ? /all workers listen/ : /gateway listens/;
  const earlier: StartedPetak[] = [];
  let petak = await startPetak(folder, ["gateway", ...args], listens);
  const said = () => [...earlier, petak].map((one) => one.said()).join("");
  return {
    url: `http://127.0.0.1:${port}`,
    management: `http://127.0.0.1:${managementPort}`,
    async logFile() {
      const file = join(folder, `${name}.log`);
      await writeFile(file, said());
      return file;
    },
    lines: () =>
      said()
        .split("\n")
        .filter((line) => line.startsWith("{") && line.endsWith("}"))
        .map((line) => JSON.parse(line) as { msg: string; pid?: number }),
    get petak() {
      return petak;
    },
    async start() {
      earlier.push(petak);
      petak = await startPetak(folder, ["gateway", ...args], listens);
    },
  };
}

/** Two events, of which the receiver of webhooks should hear. */
async function reserveAndCancel({ reservations }: PetakClient, siteId: string): Promise<void> {
  const place = { case: "siteId", value: siteId } as const;
  const { reservation } = await reservations.reserve({ requestId: randomUUID(), place, parcel });
  await reservations.cancel({
    requestId: randomUUID(),
    reservationId: reservation?.reservationId ?? "",
    reason: CancellationReason.CONSUMER_REQUEST,
  });
}

/** A token to deposit at a site. */
async function tokenToDeposit({ reservations }: PetakClient, siteId: string): Promise<string> {
  const place = { case: "siteId", value: siteId } as const;
  const { reservation } = await reservations.reserve({ requestId: randomUUID(), place, parcel });
  const reservationId = reservation?.reservationId ?? "";
  await reservations.confirm({ requestId: randomUUID(), reservationId });
  return (await reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.DEPOSIT })).accessToken;
}

/** Starts it: three gateways over one Redis, couriers of whom one calls all the time, a receiver of webhooks that fails, and Prometheus. */
export async function startNight(certificate: { cert: string; key: string }): Promise<NightWorld> {
  await using started = new AsyncDisposableStack();
  const folder = await tempDir();
  const server = await startTestServer({ searchPath: await searchPathForFullDisk(await tempDir()) });
  started.defer(() => server.stop());
  const tool = new Redis(server.options);
  started.defer(() => tool.disconnect());
  tool.on("error", () => undefined);
  const network = await startTestNetwork({ redis: server, expectsErrors: true });
  started.defer(() => network.stop());
  const operator = await network.join("Operator", [Role.OPERATOR]);
  const siteId = await network.putSite(
    operator,
    makeSite({ latitude: 1.3, longitude: 103.8, classes: [["M", 400, 200, 500, 20_000, 1000]] }),
  );
  const doors = await network.putSite(
    operator,
    makeSite({ ref: "doors", latitude: 1.3, longitude: 103.8, classes: [["M", 400, 200, 500, 20_000, 1]] }),
  );
  const terminal = await network.openTerminal(operator, doors, { cabinet: [{ compartmentId: "M1", sizeClassId: "M" }] });
  const couriers: TestParticipant[] = [];
  for (const name of ["One", "Two", "Three", "Four"]) couriers.push(await network.join(name, [Role.COURIER]));
  const archiveDir = join(folder, "archive");
  const { dataDir } = network.shared;
  // Any of them may have to deliver a webhook.
  const webhooks = { "webhook-allow-http": "", "webhook-allowed-networks": "127.0.0.0/8" };
  const common = { "redis-url": server.url, "data-dir": dataDir, audience: "petak-test", "durability-check": "warn", ...webhooks };
  const [main, narrow, secure] = await Promise.all([
    gatewayOf(folder, "main", {
      ...common,
      workers: 2,
      "caller-calls-max": 4,
      "archive-dir": archiveDir,
      "archive-interval-ms": 1000,
    }),
    gatewayOf(folder, "narrow", { ...common, "max-concurrent-calls": 4, "default-timeout-ms": 60_000 }),
    gatewayOf(folder, "secure", {
      ...common,
      "max-connections": 8,
      "health-connections": 0,
      "tls-cert": certificate.cert,
      "tls-key": certificate.key,
    }),
  ]);
  for (const gateway of [main, narrow, secure]) started.defer(() => gateway.petak.kill());

  const receiver = { status: 500 };
  const hooks = createServer((request, response) => {
    request.resume().on("end", () => response.writeHead(receiver.status).end());
  }).listen(0, "127.0.0.1");
  started.defer(() => {
    hooks.closeAllConnections();
    hooks.close();
  });
  await once(hooks, "listening");
  const [courier] = couriers as [TestParticipant];
  const courierClient = createPetakClient({ baseUrl: main.url, signer: courier.signer, protocol: "connect", retry: false });
  started.defer(() => courierClient.close());
  const url = `http://127.0.0.1:${(hooks.address() as AddressInfo).port}/`;
  await courierClient.webhooks.createEndpoint({ requestId: randomUUID(), url });
  const token = await tokenToDeposit(courierClient, doors);

  const stopping = new AbortController();
  const traffic = (async () => {
    while (!stopping.signal.aborted) {
      // In this night many calls fail, as they should.
      await Promise.allSettled([reserveAndCancel(courierClient, siteId), pause(200)]);
    }
  })();
  started.defer(async () => {
    stopping.abort();
    await traffic;
  });
  const hosts = [main, narrow, secure].map(({ management }) => new URL(management).host);
  const prometheus = await startPrometheus(hosts);
  started.defer(() => prometheus.stop());
  const ending = started.move();
  return {
    ...{ terminal, token },
    ...{ prometheus, server, tool, network, main, narrow, secure, archiveDir, certificate, couriers, courierClient, siteId, receiver },
    stop: () => ending.disposeAsync(),
  };
}
