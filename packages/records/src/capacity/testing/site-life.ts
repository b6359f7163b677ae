import { create } from "@bufbuild/protobuf";
import { isKnownAt } from "@petak/allocator";
import { LatLngSchema, Purpose } from "@petak/protocol";
import type { FrozenClock, Random } from "@petak/testkit";
import { expect } from "vitest";
import { freeToPromise } from "../../sites/site-counts.ts";
import type { SearchableRecords } from "../../testing/searchable-records.ts";
import { hold, readSite, recordStep, rewrite, sendReport } from "./site-actions.ts";
import type { ModelClass, ModelParcel, SiteModel, Snapshot } from "./site-model.ts";

/** Two index cells of one region between which sites move. */
export const origin = { latitude: 1.3, longitude: 103.8 };
export const elsewhere = { latitude: 1.31, longitude: 103.81 };

/** A parcel that fits both size classes of the tests' sites, and one that fits the second only. */
const measures = [
  { widthMm: 100, heightMm: 100, depthMm: 100, massG: 100 },
  { widthMm: 500, heightMm: 500, depthMm: 500, massG: 100 },
] as const;

/** The free places of a class that a search offers. 0 if it does not offer the site. */
export async function offered(records: SearchableRecords, siteId: string, classIndex: number, knownAtMs?: number): Promise<number> {
  const found = await records.nearest({
    origin,
    parcel: measures[classIndex === 0 ? 0 : 1],
    purpose: Purpose.DELIVERY,
    isTest: true,
    // More than the sites at this point: the newest is the last of those at equal distance.
    limit: 300,
    radiusM: 10_000,
    kinds: [],
    operatorIds: [],
    excludedOperatorIds: [],
    ...(knownAtMs !== undefined && { knownAtMs }),
  });
  return found.find((candidate) => candidate.siteId === siteId)?.classes.find(({ index }) => index === classIndex)?.free ?? 0;
}

/** Checks the invariants. */
export async function checkPromises(records: SearchableRecords, siteId: string, model: SiteModel, nowMs: number): Promise<void> {
  const { counts, observation } = await readSite(records, siteId);
  for (const [classIndex, count] of counts.entries()) {
    const recordedAs = (state: ModelParcel["recorded"]) =>
      model.parcels.filter((parcel) => parcel.classIndex === classIndex && parcel.recorded === state).length;
    expect(count).toMatchObject({ occupied: recordedAs("inside"), held: recordedAs("held") });
    expect(Math.min(count.inService, count.occupiedByOthers)).toBeGreaterThanOrEqual(0);
    expect(count.inService).toBeLessThanOrEqual(count.installed);
    const isKnown = isKnownAt(observation, nowMs);
    if (model.basis === "nothing") expect(isKnown).toBe(false);
    else expect(freeToPromise(count)).toBeLessThanOrEqual(model.promisable(classIndex));
    expect(await offered(records, siteId, classIndex)).toBe(freeToPromise(count));
    expect(await offered(records, siteId, classIndex, nowMs)).toBe(isKnown ? freeToPromise(count) : 0);
  }
}

/** The options of a random life. */
export interface LifeOptions {
  /** The records over several connections. */
  gatewayRecords: readonly [SearchableRecords, ...SearchableRecords[]];
  siteId: string;
  model: SiteModel;
  random: Random;
  clock: FrozenClock;
  /** Returns a number that no request had before. */
  nextNumber: () => number;
}

/** Counts what happened, for a test to check its coverage. */
export interface LifeCounts {
  recorded: number;
  outdated: number;
  held: number;
  none: number;
  /** The number of counts that were compared exactly, not only bounded. */
  exact: number;
}

/** Random actions at one site, applied to its model too. */
export interface SiteLife {
  readonly seen: LifeCounts;
  /** Performs one random action: at the door, in the store, or a report. */
  step(): Promise<void>;
  /** Records everything that happened, and reports. The counts must be exact then. */
  settle(): Promise<void>;
}

/** Starts at a site at which nothing has happened. */
export function createLife({ gatewayRecords, siteId, model, random, clock, nextNumber }: LifeOptions): SiteLife {
  const underWay: (Snapshot | "reporting_ended")[] = [];
  const observedAtMs = new Map<Snapshot | "reporting_ended", number>();
  const any = () => random.pick(gatewayRecords);
  const pickParcel = (is: ModelParcel["is"]) => {
    const parcels = model.parcels.filter((parcel) => parcel.is === is && parcel.recorded !== "over");
    return parcels.length === 0 ? undefined : random.pick(parcels);
  };
  const anyClass = () => random.int(0, model.classes.length - 1);
  const seen = { recorded: 0, outdated: 0, held: 0, none: 0, exact: 0 };

  const actions = {
    async hold() {
      const classIndexes = random.shuffle([0, 1]).slice(0, random.int(1, 2));
      const before = classIndexes.map((classIndex) => model.promisable(classIndex));
      const parcel = await hold(any(), siteId, nextNumber(), classIndexes);
      if (parcel === undefined) seen.none++;
      else {
        seen.held++;
        if (model.basis !== "nothing") expect(before[classIndexes.indexOf(parcel.classIndex)]).toBeGreaterThan(0);
        model.parcels.push(parcel);
      }
    },
    async deposit() {
      const parcel = pickParcel("held");
      if (parcel === undefined || model.emptyDoors(parcel.classIndex) <= 0) return;
      parcel.is = "inside";
      parcel.movedAtMs.inside = clock.now();
    },
    async collect() {
      const parcel = pickParcel("inside");
      if (parcel === undefined) return;
      parcel.is = "over";
      parcel.movedAtMs.over = clock.now();
    },
    async giveBack() {
      const parcel = pickParcel("held");
      if (parcel === undefined) return;
      parcel.is = "over";
      await recordStep(any(), siteId, parcel);
    },
    async record() {
      const waiting = model.unrecorded();
      if (waiting.length > 0) await recordStep(any(), siteId, random.pick(waiting));
    },
    async others() {
      const place = model.classes[anyClass()] as ModelClass;
      const isEmpty = model.emptyDoors(model.classes.indexOf(place)) > 0;
      if (random.bool() && place.foreign > 0) place.foreign--;
      else if (random.bool() && place.broken > 0) place.broken--;
      else if (isEmpty && random.bool(0.7)) place.foreign++;
      else if (isEmpty) place.broken++;
    },
    async observe() {
      // Two snapshots at one instant would be one report.
      if ([...observedAtMs.values()].includes(clock.now())) clock.advance(1);
      const snapshot = random.bool(0.05) ? "reporting_ended" : model.observe(clock.now(), random.pick([10, 60, 300]));
      observedAtMs.set(snapshot, clock.now());
      underWay.push(snapshot);
    },
    async deliver() {
      if (underWay.length === 0) return;
      // Most reports arrive immediately and in order, some late, some twice.
      const snapshot = random.bool(0.5) ? (underWay.at(-1) as Snapshot) : random.pick(underWay);
      await deliver(snapshot);
    },
    async rewrite() {
      const { site } = await readSite(gatewayRecords[0], siteId);
      const places = random.bool(0.3) ? model.classes.map(({ installed }) => installed) : undefined;
      if (places === undefined) {
        const position = create(LatLngSchema, random.pick([origin, elsewhere]));
        await rewrite(any(), siteId, { name: `${site.name}.`, position }, 0);
        return;
      }
      const classIndex = anyClass();
      places[classIndex] = (places[classIndex] ?? 0) + 1;
      const sizeClasses = site.sizeClasses.map((sizeClass, index) => ({ ...sizeClass, installed: places[index] ?? 0 }));
      await rewrite(any(), siteId, { sizeClasses }, 0);
      (model.classes[classIndex] as ModelClass).installed += 1;
      if (model.basis !== "reporting_ended") model.basis = "nothing";
      // Reports on the former places would be refused before they come here.
      underWay.length = 0;
    },
  };

  async function deliver(snapshot: Snapshot | "reporting_ended"): Promise<void> {
    const atMs = observedAtMs.get(snapshot) ?? 0;
    const expected = model.outcomeOf(snapshot, atMs, clock.now());
    expect(await sendReport(any(), siteId, snapshot, atMs, clock.now())).toBe(expected);
    seen[expected]++;
    if (expected === "outdated") return;
    model.recorded(snapshot, atMs);
  }

  return {
    seen,
    async step() {
      clock.advance(random.pick([0, 0, 1, 40, 900, 5000]));
      const weights = { hold: 4, deposit: 4, collect: 3, giveBack: 1, record: 6, others: 3, observe: 4, deliver: 4, rewrite: 0.5 };
      const action = random.pick(Object.entries(weights).flatMap(([name, weight]) => Array<string>(weight * 2).fill(name)));
      await actions[action as keyof typeof actions]();
    },
    async settle() {
      while (model.unrecorded().length > 0) await actions.record();
      clock.advance(1);
      const snapshot = model.observe(clock.now(), 60);
      observedAtMs.set(snapshot, clock.now());
      underWay.push(snapshot);
      await deliver(snapshot);
      const { counts } = await readSite(gatewayRecords[0], siteId);
      for (const [classIndex, count] of counts.entries()) {
        expect(freeToPromise(count)).toBe(model.promisable(classIndex));
        seen.exact++;
      }
    },
  };
}
