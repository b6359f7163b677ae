import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { type Event, EventType, ReservationState, Role, reasonOf } from "@petak/protocol";
import { createFrozenClock, createRandom, type FrozenClock, type Random, roundsHere, testSeed, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { afterEach, beforeEach, expect, it } from "vitest";
import { expectTrueChain, publishedIssuerKeys } from "../testing/chains.ts";
import { everyMethod, nameOfMethod } from "../testing/every-method.ts";
import { type Action, makers, nextStep, report, type Scene } from "./actions.ts";
import { gatewayState, modelState, nameOf, newWorld, type People, randomTerms } from "./life-world.ts";
import { type Actor, LifeModel, type ModelLimits } from "./model.ts";
import type { GivenTerms } from "./model-terms.ts";

/** Lives of which each begins with nothing, and the steps of each. */
const lives = roundsHere({ short: 5, ci: 60, long: 1000 });
const stepsOfEach = 40;
/** How many lives more there may be until all has happened that should. It takes some thirty in all. */
const moreLivesMax = 200;

const minuteMs = 60_000;
const limits: ModelLimits = {
  holdDefaultMs: 15 * minuteMs,
  holdMaxMs: 40 * minuteMs,
  waitMaxMs: 7 * 24 * 60 * minuteMs,
  depositUnderWayMs: 10 * minuteMs,
  terms: {
    freeStorageMs: 30 * minuteMs,
    longestStorageMs: 90 * minuteMs,
    pricePerDay: 0,
    freeChangeMs: 0,
    lateFee: 0,
    noShowAfterMs: 7 * 24 * 60 * minuteMs,
    noShowFee: 0,
  },
};

const actors: readonly Actor[] = ["courier", "stranger", "operator", "rival"];

/** The calls that change something, and are not made in these lives, each with what they would change. */
const notMade: Readonly<Record<string, string>> = {
  "DirectoryService/UpsertSites": "sites; begins each life",
  "DirectoryService/ReportCapacity": "the places of sites; capacity.test.ts and queue.test.ts compare what becomes of reservations",
  "DirectoryService/RetireSites": "sites; changed-site.test.ts",
  "ReservationService/Batch": "what its calls do: each of them goes in a batch now and then",
  "ParticipantService/CreateParticipant": "participants",
  "ParticipantService/RegisterKey": "keys",
  "ParticipantService/RevokeKey": "keys",
  "ParticipantService/CreatePublishableKey": "keys",
  "WebhookService/CreateEndpoint": "webhook endpoints",
  "WebhookService/UpdateEndpoint": "webhook endpoints",
  "WebhookService/RotateEndpointKey": "webhook endpoints",
  "WebhookService/TestEndpoint": "webhook endpoints",
  "WebhookService/ReplayEvents": "webhook endpoints",
  "WebhookService/DeleteEndpoint": "webhook endpoints",
};

/** What must have come about in the lives, as it is said of them, for the test to say anything of it. */
const wantedToHappen: readonly RegExp[] = [
  ...["CANCELLED", "NO_SHOW", "DEPOSITED"].map((state) => new RegExp(`^${state} with a fee`)),
  /courier redirects .*CONFIRMED.*done/,
  /courier reserves at or elsewhere: done/,
  /courier reserves near .*: done/,
  /courier lets somebody else .*done/,
  /courier lets somebody else .*CREDENTIAL_NOT_ACCEPTED/,
  /courier revokes .*reservation.*done/,
  /courier signs .*done/,
  /operator resolves .*NO_PARCEL: done/,
];

const redis = useRedis();
let clock: FrozenClock;
let network: TestNetwork;
let around: People;

beforeEach(async () => {
  clock = createFrozenClock(Math.floor(Date.now() / 1000) * 1000);
  const { holdDefaultMs, holdMaxMs, terms } = limits;
  const storage = { collectWithinMs: terms.freeStorageMs, storageMaxMs: terms.longestStorageMs };
  const overrides = { now: clock.now, holdDefaultMs, holdMaxMs, ...storage, sweepIntervalMs: 5 };
  network = await startTestNetwork({ redis, ...overrides });
  const people = {
    // A courier that sells deliveries itself: where its parcels go is its own to decide.
    courier: await network.join("Courier", [Role.COURIER, Role.MERCHANT]),
    stranger: await network.join("Stranger", [Role.COURIER]),
    operator: await network.join("Operator", [Role.OPERATOR]),
    rival: await network.join("Rival", [Role.OPERATOR]),
  };
  around = { clock, network, people };
});
afterEach(() => network.stop());

/** How often each call was made by each. */
type Counts = Map<string, number>;

/** Who is to have made which call. Another courier's reservations would be lives of their own. */
const pairs = Object.keys(makers)
  .flatMap((call) => actors.map((by) => ({ call, by, pair: `${call} by ${by}` })))
  .filter(({ pair }) => pair !== "ReservationService/Reserve by stranger");

/** Something to do: now and then what was done least, so that everybody has tried everything. */
function pickAction(scene: Scene, counts: Counts): Action {
  const { random, model } = scene;
  const make = ({ call, by, pair }: (typeof pairs)[number], about = scene): Action | undefined => {
    const action = makers[call]?.(about, by);
    if (action !== undefined) counts.set(pair, (counts.get(pair) ?? 0) + 1);
    return action;
  };
  if (random.bool(0.1)) {
    const [rarest] = random.shuffle(pairs).sort((a, b) => (counts.get(a.pair) ?? 0) - (counts.get(b.pair) ?? 0));
    const action = rarest && make(rarest);
    if (action !== undefined) return action;
  }
  if (random.bool(0.55)) {
    const step = nextStep(scene);
    if (step !== undefined && !("call" in step)) return step;
    if (step !== undefined) {
      const by = step.isOperators ? "operator" : "courier";
      const action = make({ call: step.call, by, pair: `${step.call} by ${by}` }, step.scene);
      if (action !== undefined) return action;
    }
  }
  if (random.bool(0.12) && model.reservations.length > 0) return report(scene) as Action;
  const by = random.bool(0.85) ? "courier" : random.pick(actors);
  const call = model.reservations.length === 0 || random.bool(0.3) ? "ReservationService/Reserve" : random.pick(Object.keys(makers));
  return make({ call, by, pair: `${call} by ${by}` }) ?? pickAction(scene, counts);
}

/** The rest of a participant's log after a number, whose numbers have no gap. */
async function readLog({ client }: TestParticipant, after: number): Promise<Event[]> {
  const events: Event[] = [];
  for (;;) {
    const from = BigInt(after + events.length + 1);
    const page = await client.custody.listEvents({ range: { fromNumber: from }, pageSize: 100 });
    expect(page.events.map(({ feedNumber }) => feedNumber)).toEqual(page.events.map((_, index) => from + BigInt(index)));
    events.push(...page.events);
    if (!page.hasMore) return events;
  }
}

const idsByReservation = (events: readonly Event[]) =>
  Object.fromEntries(
    [...Map.groupBy(events, ({ reservationId }) => reservationId)].map(([id, own]) => [id, own.map(({ eventId }) => eventId)]),
  );

/** Takes the steps of a life, and compares after each. Gives what was said of them. */
async function live(scene: Scene, counts: Counts, seen: Set<string>): Promise<string[]> {
  const { random, model, world } = scene;
  const said: string[] = [];
  for (let step = 0; step < stepsOfEach; step += 1) {
    if (random.bool(0.15)) {
      const minutes = random.int(1, 30);
      said.push(`${minutes} min pass`);
      clock.advance(minutes * minuteMs);
      model.pass(clock.now());
      await expect.poll(() => gatewayState(world), { interval: 2 }).toEqual(modelState(model, world.siteIds.length));
      continue;
    }
    const action = pickAction(scene, counts);
    said.push(action.said);
    const outcome = await action.send().then(
      (reservation) => ({ reservation }),
      (error: unknown) => ({ refused: reasonOf(error) ?? String(error) }),
    );
    const { expected } = action;
    const refused = "refused" in expected ? expected.refused : undefined;
    expect({ said, refused: "refused" in outcome ? outcome.refused : undefined }).toEqual({ said, refused });
    for (const { state, feeDue } of model.reservations) if (feeDue > 0) seen.add(`${nameOf(ReservationState, state)} with a fee`);
    seen.add(`${action.said.replace(/[\d -]+/g, " ")}: ${refused ?? "done"}`);
    if ("reservation" in outcome && outcome.reservation !== undefined && "reservation" in expected) {
      world.ids[expected.reservation.id] = outcome.reservation.reservationId;
    }
    expect({ said, ...(await gatewayState(world)) }).toEqual({ said, ...modelState(model, world.siteIds.length) });
  }
  return said;
}

it("every call that changes something is made here by everybody, or has a word why not", () => {
  const changing = everyMethod.filter(({ idempotency }) => idempotency !== MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS);
  const told = changing.map(nameOfMethod).filter((name) => !["AgentService/Boot", "AgentService/Sync"].includes(name));
  expect([...Object.keys(makers), ...Object.keys(notMade)].sort()).toEqual(told.sort());
});

it("whoever does whatever in whatever order, reservations live as the documentation says", {
  timeout: (lives + moreLivesMax) * 20_000,
}, async () => {
  const random: Random = createRandom(testSeed());
  const seen = new Set<string>();
  const counts: Counts = new Map();
  const issuerKeys = await publishedIssuerKeys(network.baseUrl);
  const { people } = around;
  const logged = { courier: 0, operator: 0 };
  let defaults: GivenTerms = {};
  const missing = () => [
    ...wantedToHappen.filter((wanted) => ![...seen].some((each) => wanted.test(each))).map(String),
    ...pairs.flatMap(({ pair }) => (counts.has(pair) ? [] : [pair])),
  ];
  const hasHappened = () => seen.size > 150 && missing().length === 0;
  // What is rare comes about in some lives more: as many as it takes.
  let lived = 0;
  for (let life = 0; life < lives || (life < lives + moreLivesMax && !hasHappened()); life += 1) {
    lived += 1;
    const installed = [random.int(1, 3), random.int(1, 2)];
    const terms = [randomTerms(random), randomTerms(random)];
    const model = new LifeModel(installed, terms, defaults, limits);
    const world = await newWorld(around, life, installed, terms);
    const said = await live({ random, model, world }, counts, seen);
    defaults = model.defaults;
    // Whatever has happened, its receipts are a chain, and what was declared wrong is there with what declares it.
    const chains = await Promise.all(world.ids.map((reservationId) => expectTrueChain(people.courier, reservationId, issuerKeys)));
    expect(chains.length).toBe(model.reservations.length);
    const corrections = chains.map(({ events }) => events.filter(({ type }) => type === EventType.EVENTS_CORRECTED).length);
    expect({ said, corrections }).toEqual({ said, corrections: model.reservations.map((reservation) => reservation.corrections) });
    // The log of each party has just the events of the reservations that the model has, each once and in the order of its chain.
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
  process.stdout.write(`${lived} lives\n`);
  // It would say little if hardly anything had happened.
  expect(seen.size).toBeGreaterThan(150);
  expect(missing()).toEqual([]);
});
