import { randomUUID } from "node:crypto";
import { durationMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { PetakClient } from "@petak/client/node";
import { DeviceEventType, reasonOf } from "@petak/protocol";
import { RetryInfoSchema } from "@petak/protocol/google-rpc";
import { onThisMachine, roundsHere, startTestServer, type TestServer } from "@petak/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildCity, type City } from "./city.ts";
import type { CitySite } from "./city-site.ts";
import { beginFaultRun, type FaultRun } from "./fault-run.ts";

const calls = roundsHere({ short: 500, ci: 2_000, long: 60_000 });
const concurrency = 50;
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };

/**
 * The longest duration of a call while Redis is unreachable, in ms: it allows for pauses of the machine, but not for a command's timeout of
 * 2 s.
 */
const answeredWithinMs = 1500;

/** The longest duration of the first calls to an unresponsive server, in ms: one command timeout, and a margin for a loaded machine. */
const firstCallsMs = 5000;

/** The permitted growth of a gateway's heap over thousands of refused calls, in bytes. A leaked call would take some 10 kB. */
const heapGrowthMax = 12 * 1024 * 1024;

let run: FaultRun;
let server: TestServer;
let city: City;

beforeEach(async () => {
  server = await startTestServer({ appendfsync: "always" });
  run = beginFaultRun("Redis outage under a flood of calls");
  city = await buildCity({ redis: { socketPath: server.options.path }, gateways: [{}], random: run.random });
});
afterEach(async () => {
  await city.stop();
  await server.stop();
});

interface Refusal {
  /** Whether it took longer than a refusal may on this machine, and than the first calls to an unresponsive server may, by how slow the machine was then. */
  isSlow: boolean;
  isStuck: boolean;
  code: Code | undefined;
  reason: string | undefined;
  /** For whoever looks for the cause of a failure. */
  said: string | undefined;
  retryAfterMs: number | undefined;
}

async function refusal(call: () => Promise<unknown>): Promise<Refusal> {
  const beganMs = performance.now();
  const error = await call().then(
    () => undefined,
    (thrown: unknown) => ConnectError.from(thrown),
  );
  const ms = performance.now() - beganMs;
  const retryDelay = error?.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return {
    isSlow: ms > onThisMachine(answeredWithinMs, ms),
    isStuck: ms > onThisMachine(firstCallsMs, ms),
    code: error?.code,
    reason: reasonOf(error),
    said: error?.rawMessage,
    retryAfterMs: retryDelay && durationMs(retryDelay),
  };
}

/** A random call that needs the store. */
function anyCall(client: PetakClient, site: CitySite, reservationId: string): () => Promise<unknown> {
  const requestId = randomUUID();
  const agent = city.callers.clientOf(city.gateways[0]?.port ?? 0, site.signer);
  const event = {
    // Never the next one: a report that is recorded here would be a fork for the site's own agent.
    sequence: site.sequence + 1_000_000n,
    deviceEventId: randomUUID(),
    type: DeviceEventType.PARCEL_DEPOSITED,
    occurredAt: timestampFromMs(Date.now()),
    reservationId,
  };
  return run.random.pick([
    () => client.reservations.reserve({ requestId, place: { case: "siteId", value: site.siteId }, parcel }),
    () => client.reservations.confirm({ requestId, reservationId }),
    () => client.reservations.getReservation({ reservationId }),
    () => client.custody.listEvents({}),
    () => client.directory.getAvailability({ siteIds: [site.siteId] }),
    () => agent.agents.reportEvents({ siteId: site.siteId, events: [event] }),
  ]);
}

/** Makes many calls, some of them concurrently. Returns every refusal. */
async function flood(count: number): Promise<Refusal[]> {
  const [gateway] = city.gateways;
  const client = city.callers.clientOf(gateway?.port ?? 0, city.courier);
  const reservationId = city.lives[0]?.reservationId ?? "";
  const refusals: Refusal[] = [];
  let left = count;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (left-- > 0) refusals.push(await refusal(anyCall(client, run.random.pick(city.sites), reservationId)));
    }),
  );
  return refusals;
}

describe.each(["gone", "hanging"] as const)("while Redis is %s", (kind) => {
  it("calls are refused at once with a retry delay, and use no memory", { timeout: 600_000 }, async () => {
    const [gateway] = city.gateways;
    // By then the caches that calls need are filled: the callers and the sites.
    await city.during(() => city.callers.more(100));
    // And the connections are open.
    await flood(500);
    const before = await gateway?.measure();
    if (kind === "gone") await server.kill9();
    else process.kill(server.pid, "SIGSTOP");

    const first = await flood(calls);
    const after = await gateway?.measure();
    const unlike = first.filter(
      ({ code, reason, retryAfterMs }) => code !== Code.Unavailable || reason !== "STORE_UNAVAILABLE" || retryAfterMs !== 1000,
    );
    expect(unlike.slice(0, 3)).toEqual([]);
    const slow = first.filter(({ isSlow }) => isSlow);
    // Only calls to an unresponsive server that start before the first timeout wait for it.
    const waitingMost = kind === "gone" ? 0 : 2 * concurrency;
    run.did(`calls refused, Redis ${kind}`, first.length);
    run.did(`of these after more than ${answeredWithinMs} ms on a quiet machine`, slow.length);
    expect(slow.length).toBeLessThanOrEqual(waitingMost);
    expect(first.filter(({ isStuck }) => isStuck)).toEqual([]);
    expect(after?.inFlight).toBeLessThanOrEqual(city.listeners.length);
    expect((after?.heapBytes ?? 0) - (before?.heapBytes ?? 0)).toBeLessThan(heapGrowthMax);
    expect((after?.externalBytes ?? 0) - (before?.externalBytes ?? 0)).toBeLessThan(heapGrowthMax);

    expect(after?.wrongLines.filter((line) => line.includes("memory leak"))).toEqual([]);

    if (kind === "gone") await server.restart();
    else process.kill(server.pid, "SIGCONT");
    // A refused call was not executed, or once only, by a Redis that had received it before it stopped responding.
    await city.during(() => city.callers.more(50));
    run.report();
  });
});
