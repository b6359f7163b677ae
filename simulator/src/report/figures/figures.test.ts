import { latLngToCell } from "h3-js";
import { describe, expect, it } from "vitest";
import type { CallObserved, IntentionEnded, Observation, SiteSampled, SiteSeen } from "../../observe/observation.ts";
import type { RunHeader } from "../../observe/run-header.ts";
import { checkIntention } from "../../trace/check-intention.ts";
import { drawCityDay } from "../testing/city-day.ts";
import { createFigures, type FiguresOptions } from "./create-figures.ts";

const hourMs = 3_600_000;
/** 08:00 in Singapore. */
const beganAtMs = Date.parse("2026-11-09T00:00:00.000Z");

const header: RunHeader = {
  trace: {
    seed: 1,
    city: "Tinytown",
    timeZone: "Asia/Singapore",
    startAt: "2026-11-09T00:00:00.000Z",
    durationMs: 2 * hourMs,
    drawn: "By hand.",
    parameters: {},
  },
  intentions: 6,
  gateway: "http://127.0.0.1:8080",
  protocol: "connect",
  software: "petak 0.1.0",
  pace: { clock: "driven", stepMs: 1000 },
  beganAtMs,
  beganOnMs: beganAtMs,
  faults: {},
  processes: 1,
  remarks: [],
};

const home = { latitude: 1.3, longitude: 103.8 };

function site(siteId: string, more: Partial<SiteSeen> = {}): SiteSeen {
  const size = { sizeClassId: "M", widthMm: 400, heightMm: 300, depthMm: 600, maxMassG: 20_000, installed: 10 };
  const facts = { ref: siteId, name: siteId, operatorId: "o", isStore: false, hasDoor: true, isActive: true, timeZone: "Asia/Singapore" };
  return { kind: "site", atMs: beganAtMs, siteId, ...facts, ...home, sizeClasses: [size, { ...size, sizeClassId: "L" }], ...more };
}

function counts(siteId: string, hour: number, occupied: number, held: number): SiteSampled {
  const atMs = beganAtMs + hour * hourMs;
  const size = { sizeClassId: "M", installed: 10, inService: 10, occupied, held, occupiedByOthers: 0, freeToPromise: 0 };
  return { kind: "counts", atMs, siteId, isKnown: true, observedAtMs: atMs, publishedAtMs: atMs, sizeClasses: [size] };
}

function ended(intention: number, hour: number, end: IntentionEnded["end"], more: Partial<IntentionEnded> = {}): IntentionEnded {
  const askedAtMs = beganAtMs + hour * hourMs;
  return { kind: "ended", intention, atMs: askedAtMs, end, ...home, askedAtMs, isRedirected: false, ...more };
}

function figuresOf(observations: readonly Observation[], options: FiguresOptions = {}, changed: Partial<RunHeader> = {}) {
  const figures = createFigures({ ...header, ...changed }, options);
  for (const observation of observations) figures.observe(observation);
  return figures.figures();
}

describe("The figures of a run", () => {
  it("count what became of those who asked, in all, by hour of local time and by cell", () => {
    const { demand, steps, cells } = figuresOf([
      ended(1, 0, "collected", { siteId: "a", distanceM: 100 }),
      ended(2, 0.5, "kept", { siteId: "b", distanceM: 300, isRedirected: true }),
      ended(3, 1.2, "refused", { reason: "NO_PLACE_FREE", latitude: 1.4 }),
      ended(9, 1.2, "refused", { reason: "NO_SITE_NEAR", latitude: 1.4 }),
      ended(4, 1.3, "left"),
      ended(5, 1.4, "failed", { reason: "UNAVAILABLE" }),
      ended(6, 1.5, "unfinished", { siteId: "a", distanceM: 200 }),
      ended(7, 1.6, "unfinished"),
      ended(8, 1.7, "dropped"),
    ]);
    expect(steps).toEqual({ hours: 1, starts: ["2026-11-09T08:00", "2026-11-09T09:00"] });
    expect(demand).toMatchObject({ asked: 8, wanted: 6, met: 3, redirected: 1, refused: 2, failed: 1, metShare: 0.5 });
    expect(demand).toMatchObject({ noSiteNear: 1, noneFree: 1, noneFreeShare: 1 / 6 });
    expect(demand.byEnd).toMatchObject({ collected: 1, kept: 1, left: 1, dropped: 1, unfinished: 2, recalled: 0 });
    expect(demand.bySteps).toEqual([
      { asked: 2, wanted: 2, met: 2, redirected: 1, refused: 0, failed: 0 },
      { asked: 6, wanted: 4, met: 1, redirected: 0, refused: 2, failed: 1 },
    ]);
    expect(demand.busiest).toEqual({ start: "2026-11-09T09:00", asked: 6 });
    const [most, other] = cells;
    expect(most).toMatchObject({ cell: latLngToCell(1.3, 103.8, 8), asked: 6, wanted: 4, met: 3, metShare: 0.75, wantedBySteps: [2, 2] });
    expect(other).toMatchObject({ cell: latLngToCell(1.4, 103.8, 8), asked: 2, refusedBySteps: [0, 2], inUseBySteps: [] });
  });

  it("have the walks of those who were met, and what shares walk 250 and 500 m", () => {
    const walks = [0, 100, 250, 251, 500, 900, 901, 902, 903, 2500];
    const { walk } = figuresOf(walks.map((distanceM, index) => ended(index + 1, 0, "collected", { siteId: "a", distanceM })));
    expect(walk).toMatchObject({ count: 10, mean: 720.7, p50: 500, p90: 903, p99: 2500, max: 2500 });
    expect(walk).toMatchObject({ shareWithin250M: 0.3, shareWithin500M: 0.5 });
    expect(walk.histogram[2]).toEqual({ from: 200, to: 300, count: 2, share: 0.2 });
    expect(walk.histogram.at(-1)).toEqual({ from: 2000, to: null, count: 1, share: 0.1 });
  });

  it("say how full sites, cells and the city are at the end of each hour", () => {
    const { occupancy, sites, cells } = figuresOf([
      site("a", { name: "Old name" }),
      site("b"),
      counts("a", 0, 2, 3),
      counts("b", 0, 1, 0),
      counts("a", 1, 8, 4),
      site("a", { name: "New name" }),
      ended(1, 1, "collected", { siteId: "a", distanceM: 10 }),
      ended(2, 1, "stranded", { siteId: "a", distanceM: 10 }),
      { kind: "end", atMs: beganAtMs + 2 * hourMs, doneMs: 5000, end: "complete" },
    ]);
    expect(occupancy).toMatchObject({ sites: 2, installed: 40 });
    expect(occupancy.bySteps).toEqual([
      { occupied: 3, held: 3, inUseShare: 0.15 },
      { occupied: 8, held: 4, inUseShare: 0.3 },
      { occupied: null, held: null, inUseShare: null },
    ]);
    expect(occupancy.fullest).toEqual({ start: "2026-11-09T09:00", occupied: 8, held: 4, inUseShare: 0.3 });
    expect(sites[0]).toMatchObject({ siteId: "a", name: "New name", installed: 20, met: 1, mostInUse: 12, mostInUseShare: 0.6 });
    expect(sites[1]?.inUseBySteps).toEqual([1, null, null]);
    expect(cells[0]?.around).toBe("New name");
    expect(cells).toEqual([expect.objectContaining({ sites: 2, installed: 40, inUseBySteps: [6, 12, null] })]);
  });

  it("carry the counts of a step in which nobody counted, up to the last count", () => {
    const { occupancy } = figuresOf([site("a"), counts("a", 1, 5, 0), counts("a", 3, 7, 1), ended(1, 4, "left")]);
    expect(occupancy.bySteps.map(({ occupied }) => occupied)).toEqual([null, 5, 5, 7, null]);
  });

  it("name a cell without a site by the nearest one that has a site", () => {
    const next = { ...home, latitude: home.latitude + 1500 / 111_195 };
    const far = { ...home, latitude: home.latitude + 1 };
    const { cells } = figuresOf([site("a"), ended(1, 0, "left", next), ended(2, 0, "left", far)]);
    const nameOf = ({ latitude, longitude }: typeof home) =>
      cells.find(({ cell }) => cell === latLngToCell(latitude, longitude, 8))?.around;
    expect([home, next, far].map(nameOf)).toEqual(["a", "a", null]);
  });

  it("have stays and waits in minutes of city time, longer than those of the clock where a run is faster than it", () => {
    const { stays, queues, steps, run } = figuresOf(
      [
        ended(1, 0, "collected", { siteId: "a", stayMs: 60_000, waitedMs: 1000 }),
        ended(2, 0.5, "rejected", { reason: "QUEUE", waitedMs: 30_000 }),
      ],
      {},
      { pace: { clock: "wall", speed: 60 } },
    );
    expect(run.speed).toBe(60);
    expect(stays).toMatchObject({ count: 1, p50: 60 });
    expect(queues).toMatchObject({ count: 2, met: 1, metShare: 0.5, p50: 1, max: 30 });
    expect(steps.starts.at(-1)).toBe("2026-11-10T14:00");
  });

  it("have the measured load, ends by reason, and the gateway's metrics with counters as growth", () => {
    const call: CallObserved = { kind: "call", intention: 1, operation: "find", atMs: 0, dueMs: 0, sentMs: 1, doneMs: 4, outcome: "OK" };
    const metrics = (doneMs: number, calls: number): Observation => ({
      kind: "metrics",
      atMs: beganAtMs,
      doneMs,
      values: { 'petak_rpc_duration_seconds_count{rpc="A"}': calls, 'petak_rpc_duration_seconds_count{rpc="B"}': 1, petak_unknown: 5 },
    });
    const { load, gateway, endReasons } = figuresOf([
      call,
      { ...call, operation: "reserve", outcome: "UNAVAILABLE" },
      metrics(1000, 9),
      metrics(3000, 29),
      ended(1, 0, "failed", { reason: "UNAVAILABLE" }),
      ended(2, 0, "stranded", { reason: "UNAVAILABLE" }),
    ]);
    expect(load.operations.find).toMatchObject({ ok: 1, p50Ms: 4 });
    expect(load.outcomes.UNAVAILABLE).toMatchObject({ count: 1, intentions: [1], operations: { reserve: 1 } });
    expect(load.series.columns.every((column) => !("metrics" in column))).toBe(true);
    expect(endReasons).toEqual([{ reason: "UNAVAILABLE", count: 2, ends: { failed: 1, stranded: 1 }, intentions: [1, 2] }]);
    expect(gateway.atMs).toEqual([1000, 3000]);
    expect(gateway.series).toEqual([expect.objectContaining({ title: "Calls answered", values: [null, 10], max: 10, last: 10 })]);
  });

  it("say why they cannot be relied on: violations, a late generator, a gateway that was lost", () => {
    const violation: Observation = { kind: "violation", atMs: beganAtMs, rule: "event-lost", intentions: [3], text: "Lost.", evidence: [] };
    const { run, violations } = figuresOf([
      ...Array.from({ length: 120 }, () => violation),
      { kind: "late", intention: 1, dueMs: 0, sentMs: 5000 },
      { kind: "end", atMs: beganAtMs, doneMs: 5000, end: "gateway-lost", reason: "UNAVAILABLE" },
    ]);
    expect(violations).toMatchObject({ count: 120, byRule: [{ rule: "event-lost", count: 120 }] });
    expect(violations.first).toHaveLength(100);
    expect(violations.first[0]).toEqual({ rule: "event-lost", at: "2026-11-09T08:00", text: "Lost.", intentions: [3], evidence: [] });
    expect(run).toMatchObject({ end: "gateway-lost", endReason: "UNAVAILABLE", isValid: false });
    expect(run.invalidReasons.join(" ")).toMatch(/The generator began .*5000 ms.*gateway was lost.*must never be/);
    expect(figuresOf([]).run).toMatchObject({ end: "unknown", isValid: true });
  });

  it("compare planned sites with the nearest one that exists", () => {
    const plan = { walkM: 500, residents: 1000, coveredBefore: 600, sites: [{ ref: "new", residents: 300 }] };
    const near = { latitude: home.latitude + 400 / 111_195 };
    const result = figuresOf(
      [
        site("old", near),
        site("site-9", { ref: "new", name: "Planned" }),
        ended(1, 0, "collected", { siteId: "site-9", distanceM: 0 }),
        ended(2, 0, "collected", { siteId: "site-9", distanceM: 200, latitude: home.latitude - 200 / 111_195 }),
        ended(3, 0, "collected", { siteId: "old", distanceM: 50 }),
      ],
      { plan },
    ).plan;
    expect(result).toMatchObject({ coveredAfter: 900, coveredBeforeShare: 0.6, coveredAfterShare: 0.9 });
    expect(result?.sites).toEqual([
      { ref: "new", name: "Planned", ...home, residents: 300, met: 2, newlyReached: 1, savedM: 400, savedMeanM: 400 },
    ]);
  });

  it("deliver the parcels of the trace in four ways: deliveries that were kept, by the local day of their order", () => {
    const figures = createFigures(header);
    expect(figures.figures().delivery).toBeNull();
    figures.observe(site("a"));
    const parcel = { person: "p", stayMs: null, ...home };
    const intend = (id: number, more: object) => figures.intend(checkIntention({ id, atMs: 0, ...parcel, ...more }, { file: "test" }));
    for (let id = 1; id <= 10; id++) intend(id, { courier: 1 + (id % 2) });
    intend(11, { atMs: 20 * hourMs });
    for (const more of [{ purpose: "RETURN" }, { change: "CANCELS" }, { depositAfterMs: null }]) intend(12, more);
    const { delivery } = figures.figures();
    expect(delivery).toMatchObject({ days: 2, parcels: 11 });
    const [toDoors, own, open, consolidated] = delivery?.ways ?? [];
    expect(toDoors).toMatchObject({ way: "doorToDoor", siteParcels: 0, doorParcels: 11, meanDistanceM: null, kgRatio: 1 });
    expect(own).toMatchObject({ way: "ownLockers", siteParcels: 6 });
    expect(open).toMatchObject({ way: "openNetwork", siteParcels: 11, manifests: 3, meanDistanceM: 0 });
    expect(consolidated).toMatchObject({ way: "openConsolidated", siteParcels: 11, manifests: 2 });
    expect(delivery?.parameters).toContainEqual(expect.objectContaining({ name: "tripShares.car", value: 0.15 }));
  });

  it("flip the sign of CO₂ over the share of car trips, where they say", () => {
    const { header, intentions, observations } = drawCityDay({ seed: 5, population: 30_000, sites: 12 });
    const figures = createFigures(header);
    for (const intention of intentions) figures.intend(intention);
    for (const observation of observations) figures.observe(observation);
    const { ways = [], carSweep = [] } = figures.figures().delivery ?? {};
    const breakEven = ways.find(({ way }) => way === "openConsolidated")?.breakEvenCarShare ?? Number.NaN;
    expect(breakEven).toBeGreaterThan(0);
    for (const { carShare, doorToDoor, openConsolidated } of carSweep) expect(openConsolidated < doorToDoor).toBe(carShare < breakEven);
  });

  it("are bounded for a long run: at most 336 steps, each two made one when there are more", () => {
    const late = 400;
    const { steps, demand, occupancy } = figuresOf([
      site("a"),
      ...[0, 1, 2, 3, late].map((hour) => ended(hour + 1, hour, "left")),
      ...[0, 1, late].map((hour) => counts("a", hour, hour, 0)),
    ]);
    expect(steps.hours).toBe(2);
    expect(steps.starts).toHaveLength(201);
    expect(demand.bySteps.map(({ asked }) => asked).filter((asked) => asked > 0)).toEqual([2, 2, 1]);
    expect([occupancy.bySteps[0]?.occupied, occupancy.bySteps[1]?.occupied, occupancy.bySteps[200]?.occupied]).toEqual([1, 1, 400]);
  });
});
