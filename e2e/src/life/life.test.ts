import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { type Event, EventType, ReservationState, Role, reasonOf } from "@petak/protocol";
import { createFrozenClock, createRandom, type FrozenClock, type Random, roundsHere, testSeed, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { afterEach, beforeEach, expect, it } from "vitest";
import { expectTrueChain, publishedIssuerKeys } from "../testing/chains.ts";
import { everyMethod, nameOfMethod } from "../testing/every-method.ts";
import { type Action, makers, nextStep, report, type Scene, siteMakers } from "./actions.ts";
import { countedHolds, gatewayState, modelHolds, modelState, nameOf, newWorld, type People, randomTerms } from "./life-world.ts";
import { type Actor, LifeModel, type ModelLimits } from "./model.ts";
import type { GivenTerms } from "./model-terms.ts";

/** The number of lives, each of which starts empty, and the steps of each. */
const lives = roundsHere({ short: 12, ci: 60, long: 1000 });
const stepsOfEach = 40;
/** How many more lives there may be until everything expected has happened: hundreds at worst. The short run takes the same time with any seed. */
const moreLivesMax = roundsHere({ short: 0, ci: 300, long: 300 });
/** How many different outcomes there must be. */
const outcomesMin = roundsHere({ short: 100, ci: 150, long: 150 });

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

/** The calls that change something and are not made in these lives, each with what they change. */
const notMade: Readonly<Record<string, string>> = {
  "DirectoryService/ReportCapacity": "the places of sites; capacity.test.ts and queue.test.ts compare their effects on reservations",
  "ReservationService/Batch": "the same as its calls: each of them is sometimes made in a batch",
  "ParticipantService/CreateParticipant": "participants",
  "ParticipantService/RegisterKey": "keys",
  "ParticipantService/RevokeKey": "keys",
  "ParticipantService/CreateEnrolmentCode": "keys",
  "ParticipantService/RevokeEnrolment": "keys",
  "ParticipantService/TakeOverSite": "keys",
  "ParticipantService/RotatePins": "keys",
  "ParticipantService/CreatePublishableKey": "keys",
  "AgentService/Enrol": "keys",
  "CommandService/SendCommand": "devices",
  "CommandService/ApproveCommand": "devices",
  "CommandService/AllowCommandKey": "keys",
  "ParticipantService/SetParticipantLimits": "participants",
  "ParticipantService/SetOperatorLinks": "participants",
  "WebhookService/CreateEndpoint": "webhook endpoints",
  "WebhookService/UpdateEndpoint": "webhook endpoints",
  "WebhookService/RotateEndpointKey": "webhook endpoints",
  "WebhookService/TestEndpoint": "webhook endpoints",
  "WebhookService/ReplayEvents": "webhook endpoints",
  "WebhookService/DeleteEndpoint": "webhook endpoints",
};

/** What must have happened in the lives, as described by the actions, for the test to be meaningful. */
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
  /operator puts .*into MAINTENANCE: done/,
  /operator puts .*into ACTIVE: done/,
  /operator retires .*DRAIN: done/,
  /operator retires .*CANCEL: done/,
  /operator retires .*REFUSE: SITE_IN_USE/,
  /operator moves .*CANCEL: done/,
  /operator moves .*REFUSE: SITE_IN_USE/,
  /(courier|stranger) (puts|moves|retires) .*ROLE_REQUIRED/,
  /rival retires .*SITE_NOT_FOUND/,
  /courier confirms .*SITE_OUT_OF_SERVICE/,
  /courier reserves .*SITE_NOT_ACCEPTING/,
  /courier redirects .*CANCELLED.*done/,
  /courier .*credential.*SITE_OUT_OF_SERVICE/,
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
    // The courier is its own merchant, so it may redirect its parcels anywhere.
    courier: await network.join("Courier", [Role.COURIER, Role.MERCHANT]),
    stranger: await network.join("Stranger", [Role.COURIER]),
    operator: await network.join("Operator", [Role.OPERATOR]),
    rival: await network.join("Rival", [Role.OPERATOR]),
  };
  around = { clock, network, people };
});
afterEach(() => network.stop());

/** How often each participant made each call. */
type Counts = Map<string, number>;

/** The calls that each participant must have made. The lives of the other courier's reservations are separate. */
const pairs = Object.keys(makers)
  .flatMap((call) => actors.map((by) => ({ call, by, pair: `${call} by ${by}` })))
  .filter(({ pair }) => pair !== "ReservationService/Reserve by stranger");

/** Picks an action; sometimes the one done least often, so that everybody tries everything. */
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
  const reported = random.bool(0.12) && model.reservations.length > 0 ? report(scene) : undefined;
  if (reported !== undefined) return reported;
  const by = random.bool(0.85) ? "courier" : random.pick(actors);
  const call = model.reservations.length === 0 || random.bool(0.3) ? "ReservationService/Reserve" : random.pick(Object.keys(makers));
  return make({ call, by, pair: `${call} by ${by}` }) ?? pickAction(scene, counts);
}

/** A change of a site, usually by its operator. */
function changeOfSite(scene: Scene): Action | undefined {
  const { random, model } = scene;
  const sites = [...model.sites.keys()];
  const by = random.bool(0.75) ? "operator" : random.pick(actors);
  const make = siteMakers[random.bool(0.7) ? "DirectoryService/UpsertSites" : "DirectoryService/RetireSites"];
  return make?.(scene, by, random.pick(sites));
}

/** The events of a participant's feed after a number. Expects the numbers to have no gap. */
async function readFeed({ client }: TestParticipant, after: number): Promise<Event[]> {
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

/** Takes the steps of a life, and compares the model with the gateway after each. Returns the descriptions of the steps. */
async function live(scene: Scene, counts: Counts, seen: Set<string>): Promise<string[]> {
  const { random, model, world } = scene;
  const said: string[] = [];
  const isAsExpected = () =>
    expect.poll(() => gatewayState(world), { interval: 2, message: said.join("; ") }).toEqual(modelState(model, world.siteIds.length));
  const pass = async (minutes: number) => {
    said.push(`${minutes} min pass`);
    clock.advance(minutes * minuteMs);
    model.pass(clock.now());
    await isAsExpected();
  };
  for (let step = 0; step < stepsOfEach; step += 1) {
    if (random.bool(0.15)) {
      await pass(random.int(1, 30));
      continue;
    }
    const isOfSite = random.bool(0.08);
    // A site is told of once a minute, and of what comes within a minute as one.
    if (isOfSite) await pass(1);
    const action = (isOfSite ? changeOfSite(scene) : undefined) ?? pickAction(scene, counts);
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
    // The sweep tells reservations of their site; everything else is there with the answer.
    if (isOfSite) await isAsExpected();
    else expect({ said, ...(await gatewayState(world)) }).toEqual({ said, ...modelState(model, world.siteIds.length) });
  }
  expect({ said, holds: await countedHolds(world) }).toEqual({ said, holds: modelHolds(model, world.siteIds.length) });
  return said;
}

it("every call that changes something is made here by everybody, or has a reason why not", () => {
  const changing = everyMethod.filter(({ idempotency }) => idempotency !== MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS);
  const expected = changing.map(nameOfMethod).filter((name) => !["AgentService/Boot", "AgentService/Sync"].includes(name));
  expect([...Object.keys(makers), ...Object.keys(siteMakers), ...Object.keys(notMade)].sort()).toEqual(expected.sort());
});

it("reservations behave as documented for any sequence of actions by anybody", {
  timeout: (lives + moreLivesMax) * 30_000,
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
  const hasHappened = () => seen.size > outcomesMin && missing().length === 0;
  // Rare outcomes need further lives, as many as it takes.
  let lived = 0;
  for (let life = 0; life < lives || (life < lives + moreLivesMax && !hasHappened()); life += 1) {
    lived += 1;
    const installed = [random.int(1, 3), random.int(1, 2)];
    const terms = [randomTerms(random), randomTerms(random)];
    const model = new LifeModel(installed, terms, defaults, limits);
    const world = await newWorld(around, life, installed, terms);
    const said = await live({ random, model, world }, counts, seen);
    defaults = model.defaults;
    // The receipts of every reservation form a valid chain, and corrected events are there with their corrections.
    const chains = await Promise.all(world.ids.map((reservationId) => expectTrueChain(people.courier, reservationId, issuerKeys)));
    expect(chains.length).toBe(model.reservations.length);
    const corrections = chains.map(({ events }) => events.filter(({ type }) => type === EventType.EVENTS_CORRECTED).length);
    expect({ said, corrections }).toEqual({ said, corrections: model.reservations.map((reservation) => reservation.corrections) });
    const siteEvents = chains.map(({ events }) => events.filter(({ siteChange }) => siteChange !== undefined).length);
    expect({ said, siteEvents }).toEqual({ said, siteEvents: model.reservations.map((reservation) => reservation.siteEvents) });
    // The feed of each party has exactly the events of the model's reservations, each once and in the order of its chain.
    for (const actor of ["courier", "operator"] as const) {
      const events = await readFeed(people[actor], logged[actor]);
      logged[actor] += events.length;
      // The clock also affects reservations of earlier lives.
      const own = events.filter(({ reservationId }) => world.ids.includes(reservationId));
      expect({ said, actor, log: idsByReservation(own) }).toEqual({
        said,
        actor,
        log: idsByReservation(chains.flatMap((chain) => chain.events)),
      });
    }
  }
  for (const actor of ["stranger", "rival"] as const) expect(await readFeed(people[actor], 0)).toEqual([]);
  process.stdout.write(`${lived} lives, ${seen.size} outcomes, without ${missing().join(", ")}\n`);
  // The test is meaningful only if many different outcomes occurred.
  expect(seen.size).toBeGreaterThan(outcomesMin);
  if (moreLivesMax > 0) expect(missing()).toEqual([]);
});
