import { followTestClock } from "@petak/agent";
import { createPetakClient, type KeyFile, type PetakClient, type PetakClientOptions, signerOfKeyFile } from "@petak/client/node";
import { createContact } from "../actors/calls.ts";
import { limitsPass } from "../actors/change.ts";
import type { City } from "../actors/city.ts";
import type { Courier } from "../actors/courier.ts";
import { react, readFeeds } from "../actors/feed.ts";
import { newLife } from "../actors/life.ts";
import { createLives } from "../actors/lives.ts";
import type { Act, Schedule } from "../actors/moment.ts";
import { defaultActors } from "../actors/parameters.ts";
import { begin } from "../actors/shopper.ts";
import { readSites } from "../actors/sites.ts";
import { createTechnicians } from "../actors/technicians.ts";
import { createDoors } from "../actors/terminals.ts";
import { createVans } from "../actors/vans.ts";
import { memberOf } from "../process-group/process-group.ts";
import { serveVisits, visitsElsewhere } from "../process-group/visits.ts";
import type { Intention } from "../trace/intention.ts";
import { Agenda } from "./agenda.ts";
import { type ChainSample, createChainSample } from "./chains.ts";
import type { CityRun } from "./city-run.ts";
import { sampleCounts } from "./counts.ts";
import { Crew } from "./crew.ts";
import { type DrivenClock, driveClock, testClockOf } from "./driven-clock.ts";
import { openSource } from "./source.ts";
import type { Stage } from "./stage.ts";

/** A run that is under way. */
export interface OpenRun {
  readonly stage: Stage;
  readonly clock: DrivenClock | undefined;
  /** Resolves when an act was planned that is due before all others. */
  readonly wake: () => Promise<void>;
  /** Why the run ends before its time. */
  readonly state: { lost?: string; defect?: unknown };
  /** Ends what is in progress. */
  readonly stop: AbortController;
  readonly chains: ChainSample;
  close(): void;
}

/** Timeout of calls in a run on a driven clock, in ms: longer than any takes, since nobody's patience is simulated there. */
const drivenPatienceMs = 60_000;

/** From how late on it is observed that the run itself was late to begin an intention, in ms. */
const lateMs = 1;

/** How much earlier than by this machine's clock the end of a place is observed, in ms: the gateway's clock goes on by itself. */
const limitAheadMs = 15_000;

/** Reads the directory, takes over the clock, and finds the ends of the feeds; then the run begins. */
export async function openRun(run: CityRun): Promise<OpenRun> {
  const { trace, gateway, pace, observe, faults, operators } = run;
  if (run.couriers.length === 0) throw new TypeError("a run needs a courier");
  const startAtMs = Date.parse(trace.header.startAt);
  const clients: { close(): void }[] = [];
  const connect = (options: Partial<PetakClientOptions>) => {
    const client = createPetakClient({ baseUrl: gateway.url, protocol: gateway.protocol, tls: gateway.tls, retry: false, ...options });
    clients.push(client);
    return client;
  };
  const couriers = hire(run.couriers, connect);
  const [first] = couriers as [Courier];
  const clock = pace.clock === "driven" ? await driveClock(gateway, adminOf(run), startAtMs) : undefined;
  const followed = clock?.follower ?? (await followIfAny(gateway, run.couriers[0] as KeyFile, clients));
  const nowMs = followed === undefined ? Date.now : () => Math.round(followed.now());
  const stop = new AbortController();
  const signal = AbortSignal.any([run.signal, stop.signal]);
  const state: OpenRun["state"] = {};
  let beganMs = performance.now();
  const doneMs = () => performance.now() - beganMs;
  const contact = createContact(run.lostAfterMs ?? 30_000, doneMs, (reason) => {
    state.lost ??= reason;
    stop.abort();
  });
  const caller = { observe, nowMs, doneMs, contact, signal, patienceMs: (ms: number) => (clock === undefined ? ms : drivenPatienceMs) };
  const doors = createDoors({
    url: gateway.url,
    tls: gateway.tls,
    operators,
    testClock: followed,
    faults,
    caller,
    timeoutMs: clock && drivenPatienceMs,
    isLost: () => state.lost !== undefined,
    members: run.group?.size ?? 1,
  });
  const sites = await readSites({ directory: first.client.directory, filters: run.siteFilters ?? {}, hasDoor: doors.has, observe, nowMs });
  const chains = createChainSample(Math.ceil((run.chainsMax ?? 50) / (run.group?.size ?? 1)), faults.seed);
  const lives = createLives({ observe, nowMs, sites, onReserved: chains.note });
  const agenda = new Agenda();
  const crew = new Crew((error) => {
    if (signal.aborted) return;
    state.defect ??= error;
    stop.abort();
  });
  const waking = createWaking();
  const speed = pace.clock === "wall" ? pace.speed : 1;
  const city: City = {
    ...caller,
    sites,
    doors,
    lives,
    schedule: scheduleOf(agenda, waking.wake, clock?.planMs ?? (() => doneMs() * speed), clock === undefined ? speed : undefined),
    parameters: { ...defaultActors, ...run.actors },
    faults,
    startAtMs,
    timeZone: trace.header.timeZone,
    shop: run.publishableKey === undefined ? undefined : connect({ publishableKey: run.publishableKey }),
    nextRound: createVans(() => city),
    lockFailed: createTechnicians(() => city),
    ...(run.group && { visitElsewhere: visitsElsewhere(run.group) }),
  };
  if (run.group !== undefined) serveVisits(run.group, city, couriers);
  const source = await openSource(trace.intentions);
  for (const courier of couriers) courier.cursor = (await courier.client.custody.listEvents({ fromNow: true })).nextCursor;
  const courierOf = ({ courier }: Intention) => hiredOf(run.couriers, couriers, courier);
  const isOwn = ({ person }: Intention) => run.group === undefined || memberOf(run.group, person) === run.group.member;
  const stage: Stage = {
    city,
    couriers,
    agenda,
    crew,
    source,
    signal,
    async fill(planMs) {
      for (const intention of await source.takeUntil(planMs)) {
        sites.include(intention);
        if (isOwn(intention)) plan(city, agenda, intention, courierOf(intention), clock === undefined);
      }
    },
    limitsPass: (planMs) =>
      limitsPass(city, limitAheadMs + (clock === undefined || planMs === undefined ? nowMs() : clock.beganMs + planMs)),
    async readFeeds(planMs) {
      react(city, await readFeeds(city, couriers), planMs);
    },
    sample: () => sampleCounts(city, first),
  };
  await run.group?.meet();
  // Only now, so that nobody is late because of what had to be read before.
  beganMs = performance.now();
  run.onBegin?.({ beganAtMs: clock?.beganMs ?? nowMs(), beganOnMs: Date.now() });
  return {
    stage,
    clock,
    wake: waking.next,
    state,
    stop,
    chains,
    close() {
      followed?.stop();
      clock?.stop();
      for (const client of clients) client.close();
    },
  };
}

/** One courier for each participant. */
function hire(keys: readonly KeyFile[], connect: (options: Partial<PetakClientOptions>) => PetakClient): Courier[] {
  const byId = new Map(keys.map((key) => [key.participant_id, key]));
  return [...byId].map(([participantId, key]) => ({
    participantId,
    client: connect({ signer: signerOfKeyFile(key) }),
    cursor: "",
    feedNumber: 0,
  }));
}

function hiredOf(keys: readonly KeyFile[], couriers: readonly Courier[], number: number): Courier {
  const key = keys[(number - 1) % keys.length];
  return couriers.find(({ participantId }) => participantId === key?.participant_id) as Courier;
}

function adminOf({ admin }: CityRun): KeyFile {
  if (admin === undefined) throw new TypeError("a driven run needs an administrator's key");
  return admin;
}

/** The test clock of a gateway that has one; its agents must go by it. @param opened takes the client, to be closed after the run */
async function followIfAny(gateway: CityRun["gateway"], key: KeyFile, opened: { close(): void }[]) {
  const clock = testClockOf(gateway, key);
  opened.push(clock);
  return await followTestClock(clock.client).catch(() => undefined);
}

/** @param isOpen nothing waits for anything else, so that the run itself may be late */
function plan(city: City, agenda: Agenda, intention: Intention, courier: Courier, isOpen: boolean): void {
  const start = () => {
    const life = newLife(intention, courier, city.nowMs());
    city.lives.begin(life);
    return life;
  };
  agenda.add({
    planMs: intention.atMs,
    lane: intention.person,
    drop: () => city.lives.end(start(), "dropped"),
    async act(moment) {
      const life = start();
      const sentMs = city.doneMs();
      if (isOpen && sentMs - moment.dueMs >= lateMs) city.observe({ kind: "late", intention: intention.id, dueMs: moment.dueMs, sentMs });
      await begin(city, life, moment);
    },
  });
}

/** @param speed undefined: the clock is driven */
function scheduleOf(agenda: Agenda, wake: () => void, nowMs: () => number, speed: number | undefined): Schedule {
  function at(planMs: number, act: Act, lane?: string): void {
    const isFirst = planMs < agenda.nextMs;
    agenda.add({ planMs, act, lane });
    if (isFirst) wake();
  }
  return {
    at,
    after: (ms, act) => at(nowMs() + ms, act),
    answeredAt: (moment) => (speed === undefined ? moment.planMs : nowMs()),
    pauseMs: (ms) => ms * (speed ?? 1),
    networkMs: (planMs) => planMs / (speed ?? 1),
  };
}

function createWaking(): { wake: () => void; next: () => Promise<void> } {
  let { promise, resolve } = Promise.withResolvers<void>();
  return {
    wake() {
      resolve();
      ({ promise, resolve } = Promise.withResolvers<void>());
    },
    next: () => promise,
  };
}
