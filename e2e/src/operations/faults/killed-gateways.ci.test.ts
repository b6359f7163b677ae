import { randomUUID } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import { createPetakClient, type PetakClient } from "@petak/client/node";
import { CancellationReason, EventType, Role, reasonOf } from "@petak/protocol";
import { createRandom, makeSite, type Random, roundsHere, testSeed, useRedis } from "@petak/testkit";
import { type GatewayProcess, startGatewayProcess, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const gatewayCount = 3;
const clientCount = 24;

/** Requests of each client, and the number of responses after which a gateway is killed. */
const requestsOfEach = roundsHere({ short: 10, ci: 30, long: 250 });
const answersPerDeath = 40;

let random: Random;
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let gateways: { gateway: GatewayProcess; client: PetakClient }[];
let start: () => Promise<{ gateway: GatewayProcess; client: PetakClient }>;

beforeEach(async () => {
  random = createRandom(testSeed());
  network = await startTestNetwork({ redis });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  start = async () => {
    const gateway = await startGatewayProcess(network.shared);
    return {
      gateway,
      client: createPetakClient({ baseUrl: `http://127.0.0.1:${gateway.port}`, signer: courier.signer, timeoutMs: 60_000 }),
    };
  };
  gateways = await Promise.all(Array.from({ length: gatewayCount }, start));
  return () => network.stop();
});
afterEach(async () => {
  await Promise.all(
    gateways.map(async ({ gateway, client }) => {
      client.close();
      await gateway.kill();
    }),
  );
});

/** Sends a request to a random gateway, and again to another if that one dies, until there is a response. */
async function answered<Answer>(send: (client: PetakClient) => Promise<Answer>): Promise<{ answer: Answer; attempts: number }> {
  for (let attempts = 1; ; attempts++) {
    try {
      return { answer: await send(random.pick(gateways).client), attempts };
    } catch (error) {
      const { code } = ConnectError.from(error);
      const isGone = reasonOf(error) === undefined && (code === Code.Unavailable || code === Code.Internal || code === Code.Aborted);
      if (!isGone) throw error;
    }
  }
}

describe("gateways that are killed at any instant", () => {
  it("take every place once, leak none, and answer a repeated request as the killed gateway would have", { timeout: 900_000 }, async () => {
    const sites = Array.from({ length: 60 }, (_, index) =>
      makeSite({
        latitude: 1.3 + random.float(-0.02, 0.02),
        longitude: 103.8 + random.float(-0.02, 0.02),
        ref: `${index}`,
        classes: [["M", 400, 200, 500, 20_000, random.int(1, 4)]],
      }),
    );
    const siteIds = await network.putSites(operator, ...sites);
    const installed = new Map(siteIds.map((siteId, index) => [siteId, sites[index]?.sizeClasses[0]?.installed ?? 0]));
    const held = new Map<string, { siteId: string; requestId: string }>();
    const seen = { answers: 0, deaths: 0, repeated: 0, none: 0, cancelled: 0 };
    let dying: Promise<void> = Promise.resolve();

    async function killOne(): Promise<void> {
      const place = random.int(0, gateways.length - 1);
      const { gateway, client } = gateways[place] as { gateway: GatewayProcess; client: PetakClient };
      await gateway.kill();
      client.close();
      gateways[place] = await start();
      seen.deaths++;
    }

    function count({ attempts }: { attempts: number }): void {
      seen.answers++;
      if (attempts > 1) seen.repeated++;
      if (seen.answers % answersPerDeath === 0) dying = dying.then(killOne);
    }

    const place = () => ({
      case: "nearest" as const,
      value: { origin: { latitude: 1.3 + random.float(-0.02, 0.02), longitude: 103.8 + random.float(-0.02, 0.02) } },
    });

    await Promise.all(
      Array.from({ length: clientCount }, async () => {
        const mine: string[] = [];
        for (let number = 0; number < requestsOfEach; number++) {
          if (mine.length > 0 && random.bool(0.45)) {
            const reservationId = mine.shift() ?? "";
            const request = { requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER };
            count(await answered((client) => client.reservations.cancel(request)));
            held.delete(reservationId);
            seen.cancelled++;
            continue;
          }
          const request = { requestId: randomUUID(), place: place(), parcel };
          try {
            const outcome = await answered((client) => client.reservations.reserve(request));
            const { reservationId = "", siteId = "" } = outcome.answer.reservation ?? {};
            expect(held.has(reservationId)).toBe(false);
            held.set(reservationId, { siteId, requestId: request.requestId });
            mine.push(reservationId);
            count(outcome);
            if (random.bool(0.1)) expect((await answered((client) => client.reservations.reserve(request))).answer).toEqual(outcome.answer);
          } catch (error) {
            if (reasonOf(error) !== "NO_PLACE_FREE" && reasonOf(error) !== "CONFLICT") throw error;
            seen.none++;
            count({ attempts: 1 });
          }
        }
      }),
    );
    await dying;

    process.stdout.write(`${JSON.stringify({ ...seen, held: held.size })}\n`);
    expect(seen.deaths).toBeGreaterThan(5);
    const heldAt = Map.groupBy(held.values(), ({ siteId }) => siteId);
    const { availabilities } = await courier.client.directory.getAvailability({ siteIds: [...installed.keys()] });
    for (const { siteId, sizeClasses } of availabilities) {
      const places = installed.get(siteId) ?? 0;
      const taken = heldAt.get(siteId)?.length ?? 0;
      expect({ siteId, held: sizeClasses[0]?.held, free: sizeClasses[0]?.freeToPromise }).toEqual({
        siteId,
        held: taken,
        free: places - taken,
      });
    }
    const events = await allEvents();
    const heldEvents = events.filter(({ type }) => type === EventType.RESERVATION_HELD);
    expect(new Set(heldEvents.map(({ reservationId }) => reservationId)).size).toBe(heldEvents.length);
    expect(heldEvents.length).toBe(held.size + seen.cancelled);
  });
});

async function allEvents() {
  const events = [];
  for (let cursor = ""; ; ) {
    const page = await courier.client.custody.listEvents({ cursor, pageSize: 500 });
    events.push(...page.events);
    if (page.events.length === 0) return events;
    cursor = page.nextCursor;
  }
}
