import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { createPetakClient, type PetakClient } from "@petak/client/node";
import { Role, reasonOf } from "@petak/protocol";
import { freePort, makeSite, tempDir } from "@petak/testkit";
import { startTestNetwork } from "@petak/testkit/network";
import { expect, onTestFinished, test } from "vitest";
import { runPetak, startPetak } from "../testing/petak-process.ts";

const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };

/** A line of a worker's log. */
interface Line {
  msg: string;
  worker?: number;
  port?: number;
  pid?: number;
  management?: { host: string; port: number };
}

/** A gateway with two workers over the store of a test network, in which participants have keys. */
async function startWorkers() {
  const network = await startTestNetwork();
  onTestFinished(() => network.stop());
  const { redis, dataDir } = network.shared;
  const socketPath = "socketPath" in redis ? redis.socketPath : "";
  const flags = {
    port: 0,
    workers: 2,
    "redis-url": `unix://${socketPath}`,
    "data-dir": dataDir,
    audience: "petak-test",
    "holds-site-percent": 100,
  };
  const petak = await startPetak(
    dataDir,
    ["gateway", "--durability-check", "warn", ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, `${value}`])],
    /all workers listen/,
  );
  onTestFinished(petak.kill);
  const lines = () =>
    petak
      .said()
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  const found = (msg: string) => lines().filter((line) => line.msg === msg);
  const [{ management } = { management: undefined }] = found("all workers listen");
  const managementUrl = `http://${management?.host}:${management?.port}`;
  return {
    network,
    petak,
    lines,
    found,
    url: `http://127.0.0.1:${found("gateway listens")[0]?.port}`,
    readiness: async () => (await (await fetch(`${managementUrl}/readyz`)).json()) as { status: string; workers: string },
    /** A value of the added metrics. */
    async metric(name: string): Promise<number> {
      const text = await (await fetch(`${managementUrl}/metrics`)).text();
      const values = text.split("\n").filter((line) => line.startsWith(name) && !line.startsWith("#"));
      return values.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
    },
  };
}

/** Calls until there is an answer: a connection ends with its worker. */
async function answered<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (reasonOf(error) !== undefined || ConnectError.from(error).code === Code.InvalidArgument) throw error;
    }
  }
}

/** A connection that has asked for a page. `cutOff` resolves when it ends unanswered. */
function openConnection(url: string): { isAnswered(): boolean; cutOff: Promise<void> } {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname, () => socket.write("GET /livez HTTP/1.1\r\nhost: a\r\n\r\n"));
  onTestFinished(() => void socket.destroy());
  let isAnswered = false;
  socket.on("data", () => {
    isAnswered = true;
  });
  socket.on("error", () => {});
  const cutOff = new Promise<void>((resolve) => {
    socket.on("close", () => isAnswered || resolve());
  });
  return { isAnswered: () => isAnswered, cutOff };
}

test("workers give each place once, add up their metrics, and one that is killed is replaced while the port goes on", {
  timeout: 300_000,
}, async () => {
  const { network, petak, found, url, readiness, metric } = await startWorkers();
  const operator = await network.join("Operator", [Role.OPERATOR]);
  const courier = await network.join("Courier", [Role.COURIER]);
  const siteId = await network.putSite(
    operator,
    makeSite({ latitude: 1.3, longitude: 103.8, classes: [["M", 400, 200, 500, 20_000, 10]] }),
  );
  // Each has its connection, of which the workers get one after the other.
  const clients: PetakClient[] = Array.from({ length: 8 }, () =>
    createPetakClient({ baseUrl: url, signer: courier.signer, protocol: "connect", timeoutMs: 60_000 }),
  );
  onTestFinished(() => {
    for (const client of clients) client.close();
  });
  /** The id of what was reserved, or the reason why nothing was. */
  async function reserve(index: number): Promise<string> {
    try {
      const place = { case: "siteId", value: siteId } as const;
      const answer = await clients[index % clients.length]?.reservations.reserve({ requestId: randomUUID(), place, parcel });
      return answer?.reservation?.reservationId ?? "";
    } catch (error) {
      const reason = reasonOf(error);
      if (reason === undefined) throw error;
      return reason;
    }
  }

  const first = await Promise.all(Array.from({ length: 40 }, (_, index) => reserve(index)));
  expect(first.filter((answer) => answer === "NO_PLACE_FREE")).toHaveLength(30);
  expect(new Set(first.filter((answer) => answer !== "NO_PLACE_FREE")).size).toBe(10);
  const calls = 'petak_rpc_duration_seconds_count{method="petak.v1.ReservationService/Reserve"';
  // A worker that is too busy to report at once is asked again.
  const patience = { timeout: 120_000, interval: 100 };
  await expect.poll(() => metric(calls), patience).toBe(40);
  await expect.poll(() => new Set(found("rpc").map(({ worker }) => worker)).size, patience).toBe(2);
  await expect.poll(readiness, patience).toMatchObject({ status: "ready", workers: "2 of 2" });

  const victim = found("a worker serves").at(-1)?.pid ?? 0;
  process.kill(victim, "SIGKILL");
  const later = await Promise.all(Array.from({ length: 40 }, (_, index) => answered(() => reserve(index))));
  expect(new Set(later)).toEqual(new Set(["NO_PLACE_FREE"]));
  // In this order: until the first process has noticed, there seem to be two.
  await expect.poll(() => found("a worker ended and is replaced"), patience).toHaveLength(1);
  await expect.poll(() => found("a worker serves"), patience).toHaveLength(3);
  await expect.poll(() => metric("petak_workers "), patience).toBe(2);
  expect(await metric(calls)).toBeGreaterThanOrEqual(40);
  expect(await metric("petak_worker_deaths_total ")).toBe(1);

  // One that is asked to end is replaced at once, and is no reason to wake anybody up.
  process.kill(found("a worker serves").at(-1)?.pid ?? 0, "SIGTERM");
  await expect.poll(() => found("a worker serves"), patience).toHaveLength(4);
  await expect.poll(() => metric("petak_workers "), patience).toBe(2);
  expect(await metric("petak_worker_deaths_total ")).toBe(1);

  // One that hangs is there, and is not counted.
  const hanging = found("a worker serves").at(-1)?.pid ?? 0;
  process.kill(hanging, "SIGSTOP");
  await expect.poll(() => metric("petak_workers "), patience).toBe(1);
  expect(found("a worker does not answer").map(({ pid }) => pid)).toContain(hanging);
  // The one of two connections that it was given ends with it.
  const open = [1, 2, 3, 4].map(() => openConnection(url));
  await expect.poll(() => open.filter(({ isAnswered }) => isAnswered()).length, patience).toBe(3);
  // It is asked to report meanwhile.
  await metric("petak_workers ");
  process.kill(hanging, "SIGKILL");
  await Promise.race(open.map(({ cutOff }) => cutOff));
  await expect.poll(() => metric("petak_workers "), patience).toBe(await metric("petak_workers_wanted "));

  // The end comes while one begins, which must not be left over.
  const begun = () => found("nothing is archived, since archiveDir is not set").length;
  const before = begun();
  process.kill(found("a worker serves").at(-1)?.pid ?? 0, "SIGKILL");
  await expect.poll(begun, { ...patience, interval: 10 }).toBe(before + 1);
  expect(await petak.interrupt()).toBe(0);
  await expect(fetch(`${url}/livez`)).rejects.toThrow();
});

test("a port in use ends the start with one sentence, and no worker is left", async () => {
  const dataDir = await tempDir();
  const taken = await startTestNetwork();
  onTestFinished(() => taken.stop());
  const port = new URL(taken.baseUrl).port;
  const management = `127.0.0.1:${await freePort()}`;
  const { exitCode, stderr } = await runPetak(dataDir, ["gateway", "--workers", "2", "--port", port, "--management", management]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`127.0.0.1:${port} is in use by another program`);
});

test("a number of workers that cannot be is refused", async () => {
  const { exitCode, stderr } = await runPetak(await tempDir(), ["gateway", "--workers", "0"]);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/workers.*auto, or a number from 1 to 64/);
});
