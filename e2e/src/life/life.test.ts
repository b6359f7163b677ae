import { randomUUID } from "node:crypto";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { generateKeyPair, type PetakClient } from "@petak/client";
import {
  Act,
  CancellationReason,
  DeviceEventType,
  DoubtOutcome,
  type Event,
  EventType,
  type Reservation,
  ReservationState,
  Role,
  reasonOf,
} from "@petak/protocol";
import { createFrozenClock, createRandom, type FrozenClock, makeSite, type Random, testSeed, useRedis } from "@petak/testkit";
import { afterEach, beforeEach, expect, it } from "vitest";
import { countersign, expectTrueChain, publishedIssuerKeys } from "../custody/chains.ts";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "../test-network.ts";
import { type Actor, LifeModel, type ModelLimits, type ModelOutcome, type ModelReservation } from "./model.ts";

/** Lives of which each begins with nothing, and the steps of each. */
const lives = 60;
const stepsOfEach = 40;

const minuteMs = 60_000;
const limits: ModelLimits = {
  holdDefaultMs: 15 * minuteMs,
  holdMaxMs: 40 * minuteMs,
  waitMaxMs: 7 * 24 * 60 * minuteMs,
  depositAheadMaxMs: 7 * 24 * 60 * minuteMs,
  collectWithinMs: 30 * minuteMs,
  storageMaxMs: 90 * minuteMs,
  depositUnderWayMs: 10 * minuteMs,
};
const { publicKey: holderPublicKey } = await generateKeyPair();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };

const redis = useRedis();
let clock: FrozenClock;
let network: TestNetwork;
let people: Record<Actor, TestParticipant>;

beforeEach(async () => {
  clock = createFrozenClock(Math.floor(Date.now() / 1000) * 1000);
  const { holdDefaultMs, holdMaxMs, collectWithinMs, storageMaxMs } = limits;
  const overrides = { now: clock.now, holdDefaultMs, holdMaxMs, collectWithinMs, storageMaxMs, sweepIntervalMs: 5 };
  network = await startTestNetwork({ socketPath: redis.options.path }, `${redis.keyPrefix}petak`, overrides);
  people = {
    // A courier that sells deliveries itself: where its parcels go is its own to decide.
    courier: await network.join("Courier", [Role.COURIER, Role.MERCHANT]),
    stranger: await network.join("Stranger", [Role.COURIER]),
    operator: await network.join("Operator", [Role.OPERATOR]),
    rival: await network.join("Rival", [Role.OPERATOR]),
  };
});
afterEach(() => network.stop());

/** The gateway's side of one life: two sites, their agents, and the reservations by their number in the model. */
interface World {
  siteIds: string[];
  agents: PetakClient[];
  sequences: bigint[];
  ids: string[];
  bundleIds: string[];
}

async function newWorld(installed: readonly number[]): Promise<World> {
  const sites = installed.map((places, index) =>
    makeSite({ latitude: 1.3 + index / 100, longitude: 103.8, ref: randomUUID(), classes: [["M", 400, 200, 500, 20_000, places]] }),
  );
  const { results } = await people.operator.client.directory.upsertSites({ requestId: randomUUID(), sites });
  const siteIds = results.map(({ siteId }) => siteId);
  const agents = await Promise.all(siteIds.map(async (siteId) => network.clientFor(await network.agentSigner(people.operator, siteId))));
  return { siteIds, agents, sequences: siteIds.map(() => 0n), ids: [], bundleIds: [] };
}

/** What the protocol calls a value of an enum. */
function nameOf(values: Readonly<Record<string, number>>, wanted: number): string {
  return Object.keys(values).find((name) => values[name] === wanted) ?? String(wanted);
}

/** Something that somebody does: to the model, and to the gateway. */
interface Action {
  said: string;
  expected: ModelOutcome;
  send: () => Promise<Reservation | undefined>;
}

function pickAction(random: Random, model: LifeModel, world: World): Action {
  const by = random.bool(0.75) ? "courier" : random.pick<Actor>(["stranger", "operator", "rival"]);
  const { reservations } = people[by].client;
  const requestId = randomUUID();
  const site = random.int(0, world.siteIds.length - 1);
  const nowMs = clock.now();
  const reservation = model.reservations.length === 0 || random.bool(0.2) ? undefined : random.pick(model.reservations);
  const place = { case: "siteId", value: world.siteIds[site] ?? "" } as const;
  if (reservation === undefined) {
    const waitMinutes = random.bool(0.7) ? random.int(5, 90) : 0;
    const queuedUntilMs = waitMinutes > 0 ? nowMs + waitMinutes * minuteMs : undefined;
    const expected = model.reserve(random.bool(0.8) ? "courier" : by, site, nowMs, queuedUntilMs);
    // Whoever reserves in the model is the courier, who is the party to all that follows.
    if ("refused" in expected && expected.refused === "ROLE_REQUIRED") {
      return { said: `${by} reserves`, expected, send: async () => (await reservations.reserve({ requestId, place, parcel })).reservation };
    }
    const { reserve } = people.courier.client.reservations;
    const overflowPolicy = { overflowPolicy: { wait: { seconds: BigInt(waitMinutes * 60) } } };
    return {
      said: `courier reserves at ${site}, to wait ${waitMinutes} min`,
      expected,
      send: async () => (await reserve({ requestId, place, parcel, ...(waitMinutes > 0 ? overflowPolicy : {}) })).reservation,
    };
  }
  const reservationId = world.ids[reservation.id] ?? "";
  const about = `reservation ${reservation.id}, ${nameOf(ReservationState, reservation.state)}`;
  const actions: (() => Action)[] = [
    () => {
      const minutes = random.int(1, 60);
      return {
        said: `${by} confirms ${about}`,
        expected: model.confirm(by, reservation, minutes * minuteMs, nowMs),
        send: async () =>
          (await reservations.confirm({ requestId, reservationId, depositWithin: { seconds: BigInt(minutes * 60) } })).reservation,
      };
    },
    () => {
      const untilMs = nowMs + random.int(-10, 120) * minuteMs;
      return {
        said: `${by} extends ${about} to ${(untilMs - nowMs) / minuteMs} min from now`,
        expected: model.extend(by, reservation, untilMs, nowMs),
        send: async () => (await reservations.extend({ requestId, reservationId, until: timestampFromMs(untilMs) })).reservation,
      };
    },
    () => ({
      said: `${by} cancels ${about}`,
      expected: model.cancel(by, reservation, nowMs),
      send: async () => (await reservations.cancel({ requestId, reservationId, reason: CancellationReason.OTHER })).reservation,
    }),
    () => ({
      said: `${by} redirects ${about} to ${site}`,
      expected: model.redirect(by, reservation, site, nowMs),
      send: async () => (await reservations.redirect({ requestId, reservationId, place, reason: CancellationReason.REROUTED })).reservation,
    }),
    () => {
      const outcome = random.pick([DoubtOutcome.COLLECTED, DoubtOutcome.RECALLED, DoubtOutcome.NO_PARCEL]);
      return {
        said: `${by} resolves ${about} as ${outcome}`,
        expected: model.resolve(by, reservation, outcome, nowMs),
        send: async () => (await reservations.resolveDoubt({ requestId, reservationId, outcome })).reservation,
      };
    },
    () => {
      const act = random.pick([Act.DEPOSIT, Act.COLLECT, Act.RECALL]);
      return {
        said: `${by} asks for a credential, act ${act}, of ${about}`,
        expected: model.issue(by, reservation, act, nowMs),
        send: async () => {
          await reservations.issueCredential({ requestId, reservationId, act, ...(act === Act.RECALL ? { holderPublicKey } : {}) });
          return undefined;
        },
      };
    },
    () => ({
      said: `${by} lets somebody else collect ${about}`,
      expected: model.delegate(by, reservation, nowMs),
      send: async () => {
        const { accessToken } = await reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.COLLECT });
        await reservations.delegateCredential({ requestId, accessToken });
        return undefined;
      },
    }),
    () => bundleActionOf(random, model, world, by, reservation),
    () => reportOf(random, model, world, reservation),
    () => reportOf(random, model, world, reservation),
  ];
  return random.pick(actions)();
}

function bundleActionOf(random: Random, model: LifeModel, world: World, by: Actor, reservation: ModelReservation): Action {
  const { reservations } = people[by].client;
  const requestId = randomUUID();
  const bundle = model.bundles.length === 0 || random.bool(0.3) ? undefined : random.pick(model.bundles);
  const bundleId = bundle === undefined ? "" : (world.bundleIds[bundle.id] ?? "");
  if (bundle !== undefined && random.bool(0.3)) {
    return {
      said: `${by} asks for a credential of bundle ${bundle.id}`,
      expected: model.issueBundle(by, bundle, clock.now()),
      send: async () => {
        await reservations.issueBundleCredential({ requestId, bundleId, withPin: true });
        return undefined;
      },
    };
  }
  const near = model.reservations.filter(({ site }) => site === reservation.site);
  const others = random.shuffle(random.bool(0.9) ? near : model.reservations).filter((other) => other !== reservation);
  const members = [reservation, ...others.slice(0, random.int(0, 3))];
  const states = members.map(({ state }) => nameOf(ReservationState, state));
  const newId = model.bundles.length;
  return {
    said: `${by} puts ${members.map(({ id }) => id).join(", ")} (${[...new Set(states)].sort().join(", ")}) into bundle ${bundle?.id ?? "new"}`,
    expected: model.putBundle(by, members, bundle),
    send: async () => {
      const reservationIds = members.map(({ id }) => world.ids[id] ?? "");
      const answer = await reservations.putBundle({ requestId, bundleId, reservationIds });
      if (bundle === undefined) world.bundleIds[newId] = answer.bundle?.bundleId ?? "";
      return undefined;
    },
  };
}

function reportOf(random: Random, model: LifeModel, world: World, reservation: ModelReservation): Action {
  const { DOOR_OPENED, PARCEL_DEPOSITED, PARCEL_COLLECTED, PARCEL_RECALLED, DOUBT } = DeviceEventType;
  const type = random.pick([DOOR_OPENED, PARCEL_DEPOSITED, PARCEL_DEPOSITED, PARCEL_COLLECTED, PARCEL_RECALLED, DOUBT]);
  const { site, state } = reservation;
  const siteId = world.siteIds[site] ?? "";
  const nowMs = clock.now();
  // A site without the network reports late.
  const occurredMs = nowMs - (random.bool(0.3) ? random.int(1, 30) * minuteMs : 0);
  return {
    said: `the agent reports ${nameOf(DeviceEventType, type)} of reservation ${reservation.id}, ${nameOf(ReservationState, state)}`,
    expected: model.report(reservation, type, occurredMs, nowMs),
    send: async () => {
      const sequence = (world.sequences[site] ?? 0n) + 1n;
      world.sequences[site] = sequence;
      const reservationId = world.ids[reservation.id] ?? "";
      const occurredAt = timestampFromMs(occurredMs);
      const events = [{ sequence, deviceEventId: randomUUID(), type, occurredAt, reservationId, act: Act.DEPOSIT }];
      await world.agents[site]?.agents.reportEvents({ siteId, events });
      return undefined;
    },
  };
}

/** What the gateway says of all reservations and of both sites' places, in the model's words. */
async function gatewayState(world: World) {
  const { reservations, directory } = people.courier.client;
  const [found, { availabilities }] = await Promise.all([
    Promise.all(world.ids.map((reservationId) => reservations.getReservation({ reservationId }))),
    directory.getAvailability({ siteIds: world.siteIds }),
  ]);
  return {
    reservations: found.map(({ reservation }) => ({
      state: nameOf(ReservationState, reservation?.state ?? 0),
      site: world.siteIds.indexOf(reservation?.siteId ?? ""),
      position: reservation?.queuePosition,
      queuedUntilMs: reservation?.queuedUntil && timestampMs(reservation.queuedUntil),
      holdUntilMs: reservation?.holdExpiresAt && timestampMs(reservation.holdExpiresAt),
      depositUntilMs: reservation?.depositUntil && timestampMs(reservation.depositUntil),
      collectUntilMs: reservation?.collectUntil && timestampMs(reservation.collectUntil),
      depositedMs: reservation?.depositedAt && timestampMs(reservation.depositedAt),
      bundle: world.bundleIds.indexOf(reservation?.bundleId ?? ""),
      delegations: reservation?.delegations.length,
    })),
    places: availabilities.map(({ sizeClasses: [places] }) => [places?.held, places?.occupied, places?.freeToPromise]),
  };
}

function modelState(model: LifeModel, siteCount: number) {
  return {
    reservations: model.reservations.map((reservation) => {
      const { state, site, queuedUntilMs, holdUntilMs, depositUntilMs, collectUntilMs, depositedMs, bundle, delegations } = reservation;
      return {
        state: nameOf(ReservationState, state),
        site,
        position: model.position(reservation),
        queuedUntilMs,
        holdUntilMs,
        depositUntilMs,
        collectUntilMs,
        depositedMs,
        bundle: bundle?.id ?? -1,
        delegations,
      };
    }),
    places: Array.from({ length: siteCount }, (_, site) => [model.held[site], model.occupied[site], model.free(site)]),
  };
}

/** The rest of a participant's log after a number, whose numbers have no gap. */
async function readLog({ client }: TestParticipant, after: number): Promise<Event[]> {
  const events: Event[] = [];
  for (;;) {
    const from = BigInt(after + events.length + 1);
    const page = await client.custody.listEvents({ range: { fromNumber: from }, pageSize: 100 });
    expect(page.events.map(({ logNumber }) => logNumber)).toEqual(page.events.map((_, index) => from + BigInt(index)));
    events.push(...page.events);
    if (!page.hasMore) return events;
  }
}

const idsByReservation = (events: readonly Event[]) =>
  Object.fromEntries(
    [...Map.groupBy(events, ({ reservationId }) => reservationId)].map(([id, own]) => [id, own.map(({ eventId }) => eventId)]),
  );

it("whoever does whatever in whatever order, reservations live as the documentation says", { timeout: 240_000 }, async () => {
  const random = createRandom(testSeed());
  const seen = new Set<string>();
  const issuerKeys = await publishedIssuerKeys(network.baseUrl);
  const logged = { courier: 0, operator: 0 };
  for (let life = 0; life < lives; life += 1) {
    const installed = [random.int(1, 3), random.int(1, 2)];
    const model = new LifeModel(installed, limits);
    const world = await newWorld(installed);
    const said: string[] = [];
    for (let step = 0; step < stepsOfEach; step += 1) {
      if (random.bool(0.15)) {
        const minutes = random.int(1, 30);
        said.push(`${minutes} min pass`);
        clock.advance(minutes * minuteMs);
        model.pass(clock.now());
        await expect.poll(() => gatewayState(world), { interval: 2 }).toEqual(modelState(model, installed.length));
        continue;
      }
      const action = pickAction(random, model, world);
      said.push(action.said);
      const outcome = await action.send().then(
        (reservation) => ({ reservation }),
        (error: unknown) => ({ refused: reasonOf(error) }),
      );
      const { expected } = action;
      const refused = "refused" in expected ? expected.refused : undefined;
      expect({ said, refused: "refused" in outcome ? outcome.refused : undefined }).toEqual({ said, refused });
      seen.add(`${action.said.replace(/[\d -]+/g, " ")}: ${refused ?? "done"}`);
      if ("reservation" in outcome && outcome.reservation !== undefined && "reservation" in expected) {
        world.ids[expected.reservation.id] = outcome.reservation.reservationId;
      }
      expect({ said, ...(await gatewayState(world)) }).toEqual({ said, ...modelState(model, installed.length) });
    }
    // Whatever has happened, its receipts are a chain, and go on to be one when the courier signs what it gave.
    for (const reservationId of world.ids) {
      const { receipts, events } = await expectTrueChain(people.courier, reservationId, issuerKeys);
      const deposit = events.find(({ type, receipt }) => type === EventType.PARCEL_DEPOSITED && receipt !== undefined)?.receipt;
      const receipt = receipts.find(({ number }) => number === deposit?.number);
      if (receipt === undefined) continue;
      await countersign(people.courier, reservationId, receipt);
      await expectTrueChain(people.courier, reservationId, issuerKeys);
      seen.add("the courier countersigns");
    }
    // The log of each party has just the events of the reservations that the model has, each once and in the order of its chain.
    const chains = await Promise.all(world.ids.map((reservationId) => people.courier.client.custody.getCustodyChain({ reservationId })));
    expect(chains.length).toBe(model.reservations.length);
    for (const actor of ["courier", "operator"] as const) {
      const events = await readLog(people[actor], logged[actor]);
      logged[actor] += events.length;
      // The clock goes on with reservations of the lives before.
      const own = events.filter(({ reservationId }) => world.ids.includes(reservationId));
      expect({ said, actor, log: idsByReservation(own) }).toEqual({
        said,
        actor,
        log: idsByReservation(chains.flatMap((chain) => chain.events)),
      });
    }
  }
  for (const actor of ["stranger", "rival"] as const) expect(await readLog(people[actor], 0)).toEqual([]);
  // It would say little if hardly anything had happened.
  expect(seen.size).toBeGreaterThan(100);
  expect(seen).toContain("the courier countersigns");
});
