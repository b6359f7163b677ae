import type { KeyFile } from "@petak/client/node";
import { type DayOfWeek, Role, SiteKind } from "@petak/protocol";
import { makeSite, type TestRedis } from "@petak/testkit";
import { keyFileOf, startTestNetwork, type TestNetwork, type TestNetworkOptions } from "@petak/testkit/network";
import { type Faults, noFaults } from "../../actors/parameters.ts";
import { peopleOfCity } from "../../city/synthetic-city.ts";
import { type DrawnTrace, drawTrace } from "../../intentions/draw-trace.ts";
import { type Behaviour, defaultBehaviour } from "../../intentions/parameters.ts";
import type { IntentionEnded, Observation, RunEnded, ViolationFound } from "../../observe/observation.ts";
import { oracleOptionsOf } from "../../oracle/options.ts";
import { createOracle } from "../../oracle/oracle.ts";
import type { TraceHeader } from "../../trace/header.ts";
import { type Intention, intentionFieldNames, intentionFields } from "../../trace/intention.ts";
import type { CityRun } from "../city-run.ts";
import { runCity } from "../run-city.ts";

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;
export const center = { latitude: 1.3521, longitude: 103.8198 };

/** A gateway with a test clock, some sites, and those who take part. */
export interface TinyCity {
  readonly network: TestNetwork;
  readonly couriers: readonly KeyFile[];
  readonly operators: ReadonlyMap<string, KeyFile>;
  readonly admin: KeyFile;
  readonly siteIds: readonly string[];
}

const everyDay = [1, 2, 3, 4, 5, 6, 7] as DayOfWeek[];
const weekly = everyDay.map((day) => ({ openDay: day, openMinute: 9 * 60, closeDay: day, closeMinute: 21 * 60 }));

export interface TinyCityOptions extends Partial<TestNetworkOptions> {
  /** Default 8. */
  sites?: number;
  /** Of each size class of a site. Default 4. */
  places?: number;
}

/** Starts a network with terminals and stores on a grid around the centre. Each fourth site is a store. */
export async function startTinyCity(redis: TestRedis, { sites = 8, places = 4, ...settings }: TinyCityOptions = {}): Promise<TinyCity> {
  const network = await startTestNetwork({ redis, testClock: true, sweepIntervalMs: dayMs, agentSyncIntervalMs: hourMs / 4, ...settings });
  const operators = [await network.join("Operator A", [Role.OPERATOR]), await network.join("Operator B", [Role.OPERATOR])] as const;
  const couriers = [await network.join("Courier A", [Role.COURIER]), await network.join("Courier B", [Role.COURIER])];
  const siteIds: string[] = [];
  const columns = Math.ceil(Math.sqrt(sites));
  for (let number = 0; number < sites; number++) {
    const isStore = number % 4 === 3;
    const position = {
      latitude: center.latitude + (Math.floor(number / columns) - (columns - 1) / 2) * 0.006,
      longitude: center.longitude + ((number % columns) - (columns - 1) / 2) * 0.006,
    };
    const site = makeSite(
      {
        ...position,
        ref: `site-${number}`,
        kind: isStore ? SiteKind.COLLECTION_POINT : SiteKind.PARCEL_TERMINAL,
        classes: [
          ["S", 400, 150, 500, 5_000, places],
          ["L", 400, 400, 600, 20_000, places],
        ],
      },
      isStore ? { openingHours: { weekly } } : {},
    );
    siteIds.push(await network.putSite(operators[number % 2 === 0 ? 0 : 1], site));
  }
  return {
    network,
    couriers: couriers.map(keyFileOf),
    operators: new Map(operators.map((operator) => [operator.participantId, keyFileOf(operator)])),
    admin: keyFileOf(network.admin),
    siteIds,
  };
}

/** An intention near the centre: a shopper who thinks of nothing, and does what is usual. */
export function intentionOf(id: number, atMs: number, facts: Partial<Intention> = {}): Intention {
  const absent = Object.fromEntries(intentionFieldNames.map((name) => [name, (intentionFields[name] as { ifAbsent?: unknown }).ifAbsent]));
  const usual = { id, atMs, person: `person-${id}`, ...center, walkM: 5000, depositAfterMs: hourMs, stayMs: 2 * hourMs };
  return { ...absent, ...usual, ...facts } as Intention;
}

/** The header of a trace that was made by hand. */
export function headerOf(hours: number): TraceHeader {
  const { header } = drawTown(0, 1, hours);
  return { ...header, seed: null, drawn: "By hand." };
}

/** How often each value of an observation occurs. */
export function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(items, keyOf)].map(([key, group]) => [key, group.length]));
}

/** Everything goes wrong, often. */
export const outOfOrder: Faults = {
  ...noFaults,
  seed: 3,
  offlinePerDay: 4,
  offlineMs: hourMs,
  powerLossPerDay: 4,
  powerLossMs: hourMs / 2,
  jammedDoors: 0.1,
  blindSensors: 0.03,
};

/** Runs a trace with every check on. Throws if an intention does not end exactly once. Returns what was observed, and what must never be true. */
export async function runChecked(city: TinyCity, trace: DrawnTrace, faults: Faults, stepMs: number) {
  const oracle = createOracle(oracleOptionsOf({ faults: { ...faults } }, true));
  const violations: ViolationFound[] = [];
  const observe = (one: Observation) => void violations.push(...oracle.observe(one));
  const { seen, ended, ends } = await runTiny(city, trace, { faults, observe, pace: { clock: "driven", stepMs } });
  violations.push(...oracle.finish());
  const numbers = [...trace.intentions].map(({ id }) => id);
  const inOrder = ends.map(({ intention }) => intention).toSorted((a, b) => a - b);
  if (ended.end !== "complete" || inOrder.join() !== numbers.join())
    throw new Error(`the run is ${ended.end}, and not every intention ended once`);
  return { seen, ends, violations: violations.map(({ rule, text }) => `${rule}: ${text}`) };
}

/** Runs a trace in a tiny city on the driven clock. Returns what was observed. */
export async function runTiny(
  { network, couriers, operators, admin }: TinyCity,
  trace: CityRun["trace"],
  more: Partial<CityRun> = {},
): Promise<{ seen: Observation[]; ended: RunEnded; ends: IntentionEnded[] }> {
  const seen: Observation[] = [];
  const ended = await runCity({
    trace,
    gateway: { url: network.baseUrl, protocol: "connect" },
    couriers,
    operators,
    admin,
    pace: { clock: "driven", stepMs: 300_000 },
    faults: noFaults,
    inFlightMax: 100,
    signal: new AbortController().signal,
    ...more,
    observe(one) {
      seen.push(one);
      more.observe?.(one);
    },
  });
  return { seen, ended, ends: seen.filter((one) => one.kind === "ended") };
}

/** The trace of a town around the centre. @param parcels how many a day */
export function drawTown(seed: number, parcels: number, hours: number, behaviour: Partial<Behaviour> = {}, radiusM = 1200): DrawnTrace {
  const population = 1000;
  return drawTrace({
    seed,
    city: "Town",
    timeZone: "Asia/Singapore",
    startMs: Date.parse("2026-11-16T06:00:00+08:00"),
    durationMs: hours * hourMs,
    people: peopleOfCity({ ...center, population, radiusM }, seed),
    peopleFrom: "a town",
    behaviour: { ...defaultBehaviour, parcelsPerDayPerThousand: parcels, ...behaviour },
  });
}
