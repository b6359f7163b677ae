import { greatCircleM, type Position } from "@petak/protocol/geo";
import { peopleOfCity } from "../../city/synthetic-city.ts";
import { drawTrace } from "../../intentions/draw-trace.ts";
import type { End, IntentionEnded, Observation, Operation, SiteSeen } from "../../observe/observation.ts";
import type { RunHeader } from "../../observe/run-header.ts";
import { normalQuantile } from "../../random/distributions.ts";
import { createRandom, type Random } from "../../random/random.ts";
import type { Intention } from "../../trace/intention.ts";

/** A city day as no gateway made it: for tests and for looking at reports. */
export interface CityDay {
  readonly header: RunHeader;
  readonly intentions: readonly Intention[];
  readonly observations: readonly Observation[];
}

export interface CityDayOptions {
  readonly seed: number;
  readonly population: number;
  readonly sites: number;
  /** Places of each site, on average. Default 40. */
  readonly places?: number;
  /** Ms of city time that pass in one real ms. Default 400. */
  readonly speed?: number;
  /** Name of the n-th site. */
  readonly nameOf?: (site: number) => string;
}

const hourMs = 3_600_000;

/** A site with its places. */
interface Site {
  readonly seen: SiteSeen;
  held: number;
  occupied: number;
}

/** Draws a day of a city, and what a plausible gateway would have answered. */
export function drawCityDay({ seed, population, sites, places = 40, speed = 400, nameOf = siteName }: CityDayOptions): CityDay {
  const people = peopleOfCity({ latitude: 1.3521, longitude: 103.8198, population, radiusM: 14_000 }, seed);
  const startMs = Date.parse("2026-11-08T16:00:00.000Z");
  const options = { seed, city: "Singapore", timeZone: "Asia/Singapore", startMs, durationMs: 24 * hourMs, people };
  const trace = drawTrace({ ...options, peopleFrom: "a synthetic Singapore" });
  const intentions = [...trace.intentions];
  const random = createRandom(seed, "city day");
  const city = Array.from({ length: sites }, (_, number) => {
    const { latitude, longitude } = people.draw(random);
    return makeSite(number, { latitude, longitude }, nameOf(number), Math.round(places * random.between(0.4, 1.6)), startMs);
  });
  const header: RunHeader = {
    trace: trace.header,
    intentions: intentions.length,
    gateway: "http://127.0.0.1:8080",
    protocol: "connect",
    software: "petak 0.1.0",
    pace: { clock: "driven", stepMs: 1000 },
    beganAtMs: startMs,
    beganOnMs: startMs,
    faults: { jammedDoors: 0.002 },
    processes: 1,
    remarks: ["Observations drawn by a generator for tests; no gateway answered."],
  };
  return { header, intentions, observations: [...observe({ intentions, city, random, startMs, speed })] };
}

const siteName = (number: number) => `Block ${number + 101}`;

function makeSite(number: number, position: Position, name: string, installed: number, atMs: number): SiteSeen {
  const size = { sizeClassId: "M", widthMm: 400, heightMm: 300, depthMm: 600, maxMassG: 20_000, installed };
  return {
    kind: "site",
    atMs,
    siteId: `site-${String(number).padStart(4, "0")}`,
    ref: `R-${number}`,
    name,
    operatorId: "operator-1",
    isStore: number % 7 === 0,
    hasDoor: true,
    isActive: true,
    ...position,
    timeZone: "Asia/Singapore",
    sizeClasses: [size],
  };
}

interface Drawn {
  readonly intentions: readonly Intention[];
  readonly city: readonly SiteSeen[];
  readonly random: Random;
  readonly startMs: number;
  readonly speed: number;
}

/** What somebody observes while the day passes: people choose the nearest site with a place, hold it until the deposit, and collect. */
function* observe({ intentions, city, random, startMs, speed }: Drawn): Generator<Observation> {
  const sites = city.map((seen): Site => ({ seen, held: 0, occupied: 0 }));
  yield* city;
  const dues: { atMs: number; act: () => Iterable<Observation> }[] = [];
  const plan = (atMs: number, act: () => Iterable<Observation>) => dues.push({ atMs, act });
  const calls = callsOf(random, startMs, speed);
  for (const intention of intentions) plan(startMs + intention.atMs, () => arrive(intention, sites, plan, calls, random));
  const lastMs = startMs + 96 * hourMs;
  for (let atMs = startMs; atMs <= lastMs; atMs += hourMs) plan(atMs, () => sample(sites, atMs, (atMs - startMs) / speed));
  // Acts plan later acts; sorting what is due at the end of each round is enough for a generator of tests.
  for (let atMs = startMs; atMs <= lastMs; atMs += 6 * hourMs) {
    const next = dues.filter((due) => due.atMs < atMs + 6 * hourMs).sort((a, b) => a.atMs - b.atMs);
    dues.splice(0, dues.length, ...dues.filter((due) => due.atMs >= atMs + 6 * hourMs));
    for (const due of next) yield* due.act();
  }
  yield { kind: "end", atMs: lastMs, doneMs: (lastMs - startMs) / speed, end: "complete" };
}

type Plan = (atMs: number, act: () => Iterable<Observation>) => void;
type Call = (intention: number, operation: Operation, atMs: number, outcome?: string) => Observation;

function* arrive(intention: Intention, sites: readonly Site[], plan: Plan, call: Call, random: Random): Generator<Observation> {
  const { id, latitude, longitude, walkM } = intention;
  const atMs = Date.parse("2026-11-08T16:00:00.000Z") + intention.atMs;
  const end = (end: End, more: Partial<IntentionEnded> = {}, endMs = atMs): Observation => ({
    kind: "ended",
    intention: id,
    atMs: endMs,
    end,
    latitude,
    longitude,
    askedAtMs: atMs,
    isRedirected: false,
    ...more,
  });
  if (random.next() < 0.004)
    yield { kind: "late", intention: id, dueMs: intention.atMs / 400, sentMs: intention.atMs / 400 + random.between(1, 9) };
  for (let look = 0; look < intention.looks; look++) yield call(id, "find", atMs);
  if (intention.change === "LEAVES") return yield end("left");
  const near = sites
    .map((site) => ({ site, distanceM: Math.round(greatCircleM(intention, site.seen)) }))
    .filter(({ distanceM }) => distanceM <= walkM)
    .sort((a, b) => a.distanceM - b.distanceM);
  const index = near.findIndex(({ site }) => site.held + site.occupied < (site.seen.sizeClasses[0]?.installed ?? 0));
  const found = near[index];
  if (found === undefined) {
    yield call(id, "reserve", atMs, "NO_PLACE_FREE");
    const waitedMs = intention.overflowWaitS * 1000;
    if (waitedMs > 0) return yield end("rejected", { reason: "NO_PLACE_FREE", waitedMs }, atMs + waitedMs);
    return yield end("refused", { reason: near.length === 0 ? "SITE_NOT_FOUND" : "NO_PLACE_FREE" });
  }
  yield call(id, "reserve", atMs);
  yield call(id, "confirm", atMs);
  const { site, distanceM } = found;
  const got = { siteId: site.seen.siteId, reservationId: `reservation-${id}`, distanceM, isRedirected: index > 0 };
  site.held += 1;
  const depositMs = atMs + (intention.depositAfterMs ?? 36 * hourMs);
  plan(depositMs, () => deposit(depositMs));

  function* deposit(depositMs: number): Generator<Observation> {
    site.held -= 1;
    if (intention.depositAfterMs === null) return yield end("no-show", got, depositMs);
    yield call(id, "credential", depositMs);
    if (random.next() < 0.002) {
      yield call(id, "door", depositMs, "OUT_OF_ORDER");
      return yield end("stranded", { ...got, reason: "OUT_OF_ORDER" }, depositMs);
    }
    yield call(id, "door", depositMs);
    site.occupied += 1;
    const { stayMs } = intention;
    if (stayMs === null) return yield end("kept", got, depositMs);
    plan(depositMs + stayMs, function* () {
      site.occupied -= 1;
      yield call(id, "door", depositMs + stayMs);
      yield end(intention.collectBy === "RECALL" ? "recalled" : "collected", { ...got, stayMs }, depositMs + stayMs);
    });
  }
}

/** Calls with lognormal latencies that grow in the evening. */
function callsOf(random: Random, startMs: number, speed: number): Call {
  const medianMs: Partial<Record<Operation, number>> = { find: 1.4, reserve: 3.1, confirm: 1.9, credential: 2.6, door: 6 };
  return (intention, operation, atMs, outcome = "OK") => {
    const dueMs = (atMs - startMs) / speed;
    const hour = ((atMs - startMs) / hourMs) % 24;
    const load = 1 + 1.5 * Math.exp(-((hour - 20.5) ** 2) / 6);
    const ms = (medianMs[operation] ?? 2) * load * Math.exp(0.55 * normalQuantile(random.between(1e-6, 1 - 1e-6)));
    return { kind: "call", intention, operation, atMs, dueMs, sentMs: dueMs, doneMs: dueMs + ms, outcome };
  };
}

function* sample(sites: readonly Site[], atMs: number, doneMs: number): Generator<Observation> {
  for (const { seen, occupied, held } of sites) {
    const installed = seen.sizeClasses[0]?.installed ?? 0;
    const counts = { sizeClassId: "M", installed, inService: installed, occupied, held, occupiedByOthers: 0 };
    const sizeClasses = [{ ...counts, freeToPromise: installed - occupied - held }];
    yield { kind: "counts", atMs, siteId: seen.siteId, isKnown: true, observedAtMs: atMs, publishedAtMs: atMs, sizeClasses };
  }
  const inUse = sites.reduce((sum, { occupied, held }) => sum + occupied + held, 0);
  const values = {
    process_resident_memory_bytes: 90e6 + 4000 * inUse,
    process_cpu_seconds_total: (0.3 * doneMs) / 1000,
    nodejs_eventloop_lag_p99_seconds: 0.0012,
    petak_rpc_in_flight: 3,
    petak_store_fill_ratio: 0.02 + inUse / 1e6,
    'petak_rpc_duration_seconds_count{rpc="FindNearest"}': 2 * doneMs,
  };
  yield { kind: "metrics", atMs, doneMs, values };
}
