import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { createPetakClient, type PetakClient, type RequestSigner } from "@petak/client";
import { CancellationReason, DeviceEventType, EventType, ReservationState, Role, reasonOf } from "@petak/protocol";
import { createRandom, createTempDir, makeSite, type Random, startTestServer, type TestServer, testSeed } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { startTestNetwork, testAudience } from "../test-network.ts";
import { type MortalGateway, startMortalGateway } from "./mortal-gateway.ts";

/** How often something is killed. `PETAK_FAULT_KILLS` sets another number: `npm run test:faults` does. */
const kills = Number(process.env.PETAK_FAULT_KILLS ?? 8);
/** Answers between two kills. */
const answersPerKill = 40;
const clientCount = 8;
const gatewayCount = 2;
const siteCount = 6;
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };

let random: Random;
let server: TestServer;
let courier: RequestSigner;
let gateways: MortalGateway[];
let start: () => Promise<MortalGateway>;
let sites: Site[];

/** A site whose agent sends its reports one after another. */
interface Site {
  siteId: string;
  signer: RequestSigner;
  sequence: bigint;
  reporting: Promise<void>;
}

beforeEach(async () => {
  random = createRandom(testSeed());
  // What is answered must not be lost whatever is killed.
  server = await startTestServer({ appendfsync: "always" });
  const directory = await createTempDir();
  const dataDir = join(directory.path, "shared");
  const { path: socketPath } = server.options;
  const network = await startTestNetwork({ socketPath }, "faults", { dataDir });
  const operator = await network.join("Operator", [Role.OPERATOR]);
  courier = (await network.join("Courier", [Role.COURIER])).signer;
  const { results } = await operator.client.directory.upsertSites({
    requestId: randomUUID(),
    sites: Array.from({ length: siteCount }, (_, index) =>
      makeSite({ latitude: 1.3 + index / 500, longitude: 103.8, ref: `${index}`, classes: [["M", 400, 200, 500, 20_000, 4]] }),
    ),
  });
  sites = await Promise.all(
    results.map(async ({ siteId }) => ({
      siteId,
      signer: await network.agentSigner(operator, siteId),
      sequence: 0n,
      reporting: Promise.resolve(),
    })),
  );
  await network.stop();
  start = () => startMortalGateway({ socketPath, keyPrefix: "faults", dataDir, audience: testAudience });
  gateways = await Promise.all(Array.from({ length: gatewayCount }, start));
  return async () => {
    await Promise.all(gateways.map((gateway) => gateway.kill()));
    await server.stop();
    await directory.remove();
  };
});

/** Sends a request to any gateway, over a connection of its own, again and again until there is an answer. */
async function answered<Answer>(signer: RequestSigner, send: (client: PetakClient) => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const client = createPetakClient({ baseUrl: `http://127.0.0.1:${random.pick(gateways).port}`, signer });
    try {
      return await send(client);
    } catch (error) {
      const { code } = ConnectError.from(error);
      const isForLater = code === Code.Unavailable || code === Code.Aborted || code === Code.DeadlineExceeded;
      const isGone = reasonOf(error) === undefined && code === Code.Internal;
      if (!isForLater && !isGone) throw error;
    } finally {
      client.close();
    }
  }
}

/** What a client was told of one reservation, step by step. */
interface Life {
  reservationId: string;
  site: Site;
  told: EventType[];
  state: ReservationState;
}

describe("a store and gateways that are killed at any instant", () => {
  it("keep every step that was answered, once, with its place and its event", { timeout: 1_800_000 }, async () => {
    const lives: Life[] = [];
    const seen = { answers: 0, storeKilled: 0, gatewaysKilled: 0, full: 0 };
    let killing: Promise<void> = Promise.resolve();

    async function kill(): Promise<void> {
      if (seen.storeKilled <= seen.gatewaysKilled) {
        seen.storeKilled += 1;
        await server.kill9();
        await server.restart();
        return;
      }
      seen.gatewaysKilled += 1;
      const place = random.int(0, gateways.length - 1);
      await gateways[place]?.kill();
      gateways[place] = await start();
    }

    async function step<Answer>(signer: RequestSigner, send: (client: PetakClient) => Promise<Answer>): Promise<Answer> {
      const answer = await answered(signer, send);
      seen.answers += 1;
      if (seen.answers % answersPerKill === 0) killing = killing.then(kill);
      return answer;
    }

    async function reserve(): Promise<Life | undefined> {
      const origin = { latitude: 1.3 + random.float(0, 0.012), longitude: 103.8 };
      const request = { requestId: randomUUID(), place: { case: "nearest" as const, value: { origin } }, parcel };
      try {
        const { reservation } = await step(courier, (client) => client.reservations.reserve(request));
        const site = sites.find(({ siteId }) => siteId === reservation?.siteId) as Site;
        const reservationId = reservation?.reservationId ?? "";
        return { reservationId, site, told: [EventType.RESERVATION_HELD], state: ReservationState.HELD };
      } catch (error) {
        if (reasonOf(error) !== "NO_PLACE_FREE") throw error;
        seen.full += 1;
        return undefined;
      }
    }

    async function report(life: Life, type: DeviceEventType, event: EventType, state: ReservationState): Promise<void> {
      const { site, reservationId } = life;
      const before = site.reporting;
      const sending = before.then(async () => {
        site.sequence += 1n;
        const { siteId, sequence } = site;
        const occurredAt = timestampFromMs(Date.now());
        const events = [{ sequence, deviceEventId: randomUUID(), type, occurredAt, reservationId }];
        await step(site.signer, (client) => client.agents.reportEvents({ siteId, events }));
      });
      site.reporting = sending.catch(() => undefined);
      await sending;
      life.told.push(event);
      life.state = state;
    }

    async function change(
      life: Life,
      event: EventType,
      state: ReservationState,
      send: (client: PetakClient) => Promise<unknown>,
    ): Promise<void> {
      await step(courier, send);
      life.told.push(event);
      life.state = state;
    }

    /** One parcel from the hold to wherever it gets before the killing ends. */
    async function live(isOver: () => boolean): Promise<void> {
      const life = await reserve();
      if (life === undefined) return;
      lives.push(life);
      const { reservationId } = life;
      const request = { requestId: randomUUID(), reservationId };
      if (random.bool(0.15)) {
        const { RESERVATION_CANCELLED } = EventType;
        await change(life, RESERVATION_CANCELLED, ReservationState.CANCELLED, (client) =>
          client.reservations.cancel({ ...request, reason: CancellationReason.OTHER }),
        );
        return;
      }
      await change(life, EventType.RESERVATION_CONFIRMED, ReservationState.CONFIRMED, (client) => client.reservations.confirm(request));
      if (random.bool(0.2)) {
        const extension = { requestId: randomUUID(), reservationId, until: timestampFromMs(Date.now() + 3 * 86_400_000) };
        await change(life, EventType.RESERVATION_EXTENDED, ReservationState.CONFIRMED, (client) => client.reservations.extend(extension));
      }
      await report(life, DeviceEventType.PARCEL_DEPOSITED, EventType.PARCEL_DEPOSITED, ReservationState.DEPOSITED);
      // Some parcels are still inside when it ends, so that places are counted that are taken.
      if (isOver() && random.bool(0.5)) return;
      await report(life, DeviceEventType.PARCEL_COLLECTED, EventType.PARCEL_COLLECTED, ReservationState.COLLECTED);
    }

    const isOver = () => seen.storeKilled + seen.gatewaysKilled >= kills;
    await Promise.all(
      Array.from({ length: clientCount }, async () => {
        while (!isOver()) await live(isOver);
      }),
    );
    await killing;
    process.stdout.write(`${JSON.stringify({ ...seen, lives: lives.length })}\n`);
    expect(seen.storeKilled).toBeGreaterThan(0);
    expect(seen.gatewaysKilled).toBeGreaterThan(0);

    for (const { reservationId, told, state } of lives) {
      const { reservation, events } = await answered(courier, (client) => client.custody.getCustodyChain({ reservationId }));
      expect({ reservationId, told: events.map(({ type }) => type), state: reservation?.state }).toEqual({ reservationId, told, state });
    }
    const siteIds = sites.map(({ siteId }) => siteId);
    const { availabilities } = await answered(courier, (client) => client.directory.getAvailability({ siteIds }));
    for (const { siteId, sizeClasses } of availabilities) {
      const here = lives.filter(({ site }) => site.siteId === siteId);
      const count = (...states: ReservationState[]) => here.filter(({ state }) => states.includes(state)).length;
      expect({ siteId, held: sizeClasses[0]?.held, occupied: sizeClasses[0]?.occupied }).toEqual({
        siteId,
        held: count(ReservationState.HELD, ReservationState.CONFIRMED),
        occupied: count(ReservationState.DEPOSITED),
      });
    }
    const listed = await allEvents();
    expect(new Set(listed).size).toBe(listed.length);
    expect(listed.length).toBe(lives.reduce((sum, { told }) => sum + told.length, 0));
  });
});

/** The ids of all events that the courier may see. */
async function allEvents(): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor = ""; ; ) {
    const from = cursor;
    const page = await answered(courier, (client) => client.custody.listEvents({ cursor: from, pageSize: 500 }));
    ids.push(...page.events.map(({ eventId }) => eventId));
    if (page.events.length === 0) return ids;
    cursor = page.nextCursor;
  }
}
