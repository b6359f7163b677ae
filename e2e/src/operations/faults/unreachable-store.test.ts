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
const atOnce = 50;
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };

/** What a call may take while Redis is unreachable, in ms: the machine's own pauses, and no time-out of a command, which is 2 s. */
const answeredWithinMs = 1500;

/** How long the first calls to a server that hangs may take, in ms: one time-out of a command, and what a machine with much else to do takes. */
const firstCallsMs = 5000;

/** What a gateway may have more in memory after thousands of refused calls than before, in bytes. A call that were kept would be some 10 kB. */
const heapGrowthMax = 12 * 1024 * 1024;

let run: FaultRun;
let server: TestServer;
let city: City;

beforeEach(async () => {
  server = await startTestServer({ appendfsync: "always" });
  run = beginFaultRun("Redis unreachable, calls flooding in");
  city = await buildCity({ redis: { socketPath: server.options.path }, gateways: [{}], random: run.random });
});
afterEach(async () => {
  await city.stop();
  await server.stop();
});

interface Refusal {
  ms: number;
  code: Code | undefined;
  reason: string | undefined;
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
  return { ms, code: error?.code, reason: reasonOf(error), retryAfterMs: retryDelay && durationMs(retryDelay) };
}

/** One of the calls that need the records. */
function anyCall(client: PetakClient, site: CitySite, reservationId: string): () => Promise<unknown> {
  const requestId = randomUUID();
  const agent = city.callers.clientOf(city.gateways[0]?.port ?? 0, site.signer);
  const event = {
    sequence: site.sequence + 1n,
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

/** Many calls, a hundred at a time. Gives every refusal. */
async function flood(count: number): Promise<Refusal[]> {
  const [gateway] = city.gateways;
  const client = city.callers.clientOf(gateway?.port ?? 0, city.courier);
  const reservationId = city.lives[0]?.reservationId ?? "";
  const refusals: Refusal[] = [];
  let left = count;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left-- > 0) refusals.push(await refusal(anyCall(client, run.random.pick(city.sites), reservationId)));
    }),
  );
  return refusals;
}

describe.each(["gone", "hanging"] as const)("while Redis is %s", (kind) => {
  it("calls are refused at once, with a time to wait, and nothing piles up", { timeout: 600_000 }, async () => {
    const [gateway] = city.gateways;
    // What a call needs beside the records is known by then: who the callers are, what the sites are.
    await city.during(() => city.callers.more(100));
    // And the connections are there.
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
    const withinMs = onThisMachine(answeredWithinMs);
    const slow = first.filter(({ ms }) => ms > withinMs);
    // Of calls to a server that hangs those wait for it that come before the first has waited in vain, and all others do not.
    const waitingMost = kind === "gone" ? 0 : 2 * atOnce;
    run.did(`calls refused, Redis ${kind}`, first.length);
    run.did(`of these after more than ${Math.round(withinMs)} ms`, slow.length);
    expect(slow.length).toBeLessThanOrEqual(waitingMost);
    expect(Math.max(...first.map(({ ms }) => ms))).toBeLessThan(onThisMachine(firstCallsMs));
    expect(after?.inFlight).toBeLessThanOrEqual(city.listeners.length);
    expect((after?.heapBytes ?? 0) - (before?.heapBytes ?? 0)).toBeLessThan(heapGrowthMax);
    expect((after?.externalBytes ?? 0) - (before?.externalBytes ?? 0)).toBeLessThan(heapGrowthMax);

    expect(after?.wrongLines.filter((line) => line.includes("memory leak"))).toEqual([]);

    if (kind === "gone") await server.restart();
    else process.kill(server.pid, "SIGCONT");
    // What was refused was not done, or was done once, by a Redis that hung with it in hand.
    await city.during(() => city.callers.more(50));
    run.tell();
  });
});
