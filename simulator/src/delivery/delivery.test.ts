import { createRandom, type Random, testSeed } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { assignParcels, type DayParcel, type DaySite } from "./assign-parcels.ts";
import { compareDelivery } from "./compare-delivery.ts";
import { type DeliveryParameters, defaultDelivery } from "./parameters.ts";
import { effectiveAreaKm2, tourKm } from "./tour-length.ts";
import { attemptsPerParcel, vanWork } from "./vans.ts";

/** One km in degrees, at the equator. */
const km = 1 / 111.195;

/** Points spread evenly over a square at the equator. */
const square = (random: Random, count: number, sideKm: number) =>
  Array.from({ length: count }, () => ({ latitude: random.float(0, sideKm * km), longitude: random.float(0, sideKm * km) }));

/** The shortest tour through few points of a unit square, by trying all. */
function shortestTour(points: readonly (readonly [number, number])[]): number {
  const [first, ...others] = points;
  const from = (at: readonly [number, number], left: readonly (readonly [number, number])[]): number => {
    const step = (to: readonly [number, number]) => Math.hypot(at[0] - to[0], at[1] - to[1]);
    if (left.length === 0) return step(first as readonly [number, number]);
    return Math.min(
      ...left.map(
        (next) =>
          step(next) +
          from(
            next,
            left.filter((one) => one !== next),
          ),
      ),
    );
  };
  return from(first as readonly [number, number], others);
}

describe("the length of a tour", () => {
  it.each([2, 3, 4, 5])("through %i random points is that of the shortest tours, within a twelfth", (count) => {
    const random = createRandom(testSeed());
    // Of two points a tour varies by half of its length: so many rounds give its mean to within 1 %.
    const rounds = 4000;
    let sum = 0;
    for (let round = 0; round < rounds; round++)
      sum += shortestTour(Array.from({ length: count }, () => [random.float(), random.float()] as const));
    expect(Math.abs(sum / rounds / tourKm(count, 1) - 1)).toBeLessThan(1 / 12);
  });

  it("tends to 0.7124 √(n·A), grows with stops and area, and is nothing for one stop", () => {
    expect(tourKm(1e6, 4) / Math.sqrt(4e6) / 0.7124).toBeCloseTo(1, 2);
    expect([tourKm(0, 5), tourKm(1, 5), tourKm(9, 0)]).toEqual([0, 0, 0]);
    for (let stops = 1; stops < 60; stops += 0.25) expect(tourKm(stops + 0.25, 3)).toBeGreaterThan(tourKm(stops, 3));
  });

  it("uses the area of points that are spread evenly, and a smaller one of points that crowd", () => {
    const random = createRandom(testSeed());
    expect(effectiveAreaKm2(square(random, 6000, 10))).toBeGreaterThan(90);
    expect(effectiveAreaKm2(square(random, 6000, 10))).toBeLessThan(101);
    const crowded = [...square(random, 5900, 1), ...square(random, 100, 10)];
    expect(effectiveAreaKm2(crowded)).toBeLessThan(20);
    expect(effectiveAreaKm2([])).toBe(0);
    expect(effectiveAreaKm2([{ latitude: 1, longitude: 1 }])).toBe(0);
    expect(effectiveAreaKm2(Array.from({ length: 50 }, () => ({ latitude: 1, longitude: 1 })))).toBeCloseTo(0, 6);
  });
});

describe("the work of vans", () => {
  const random = createRandom(testSeed());
  const doors = square(random, 1200, 12);

  it("keeps each round within its shift and its van", () => {
    for (let trial = 0; trial < 30; trial++) {
      const parameters = {
        ...defaultDelivery,
        vanParcels: random.int(20, 400),
        shiftHours: random.int(4, 10),
        stemKm: random.float(0, 30),
      };
      const load = {
        doors: doors.slice(0, random.int(1, 1200)),
        sites: square(random, random.int(0, 60), 12),
        siteParcels: random.int(0, 900),
      };
      const { rounds, hours } = vanWork(load, parameters);
      expect(hours).toBeLessThanOrEqual(rounds * parameters.shiftHours);
      expect(load.doors.length * attemptsPerParcel(0.06, 3) + load.siteParcels).toBeLessThanOrEqual(rounds * parameters.vanParcels);
    }
  });

  it("grows with first attempts that fail, from 3 to 40 %", () => {
    const load = { doors, sites: [], siteParcels: 0 };
    const kmAt = (failedShare: number) => vanWork(load, { ...defaultDelivery, failedShare }).km;
    expect(attemptsPerParcel(0.4, 3)).toBeCloseTo(1 + 0.4 + 0.16, 12);
    const sweep = [0.03, 0.1, 0.2, 0.3, 0.4].map(kmAt);
    expect(sweep).toEqual(sweep.toSorted((a, b) => a - b));
  });

  it("is nothing without parcels", () => {
    expect(vanWork({ doors: [], sites: [], siteParcels: 0 }, defaultDelivery)).toEqual({ stops: 0, rounds: 0, km: 0, hours: 0 });
  });
});

function day(random: Random, { parcels, sites, sideKm }: { parcels: number; sites: number; sideKm: number }): [DayParcel[], DaySite[]] {
  const homes = square(random, parcels, sideKm).map((home): DayParcel => ({ ...home, courier: random.int(1, 4) }));
  return [homes, square(random, sites, sideKm).map((site, index): DaySite => ({ ...site, owner: (index % 4) + 1 }))];
}

describe("four ways to deliver the same parcels", () => {
  it("deliver each of them, and count what they hand over", () => {
    const random = createRandom(testSeed());
    for (let round = 0; round < 5; round++) {
      const [parcels, sites] = day(random, { parcels: random.int(0, 800), sites: random.int(0, 60), sideKm: random.float(2, 30) });
      const ways = compareDelivery(assignParcels(parcels, sites, random.int(300, 5000)));
      for (const way of Object.values(ways)) {
        expect(way.siteParcels + way.doorParcels).toBe(parcels.length);
        expect(way.kg).toBeCloseTo(way.vanKg + way.carKg, 9);
        for (const number of Object.values(way)) expect(number).toBeGreaterThanOrEqual(0);
      }
      const { doorToDoor, ownLockers, openNetwork, openConsolidated } = ways;
      expect(doorToDoor.siteParcels + doorToDoor.manifests).toBe(0);
      expect(openNetwork.siteParcels).toBeGreaterThanOrEqual(ownLockers.siteParcels);
      expect(openConsolidated.siteParcels).toBe(openNetwork.siteParcels);
      expect(openConsolidated.manifests).toBeLessThanOrEqual(Math.min(sites.length, openNetwork.manifests));
    }
  });

  it("in a dense city, sites need fewer stops and kilometres than doors, and an open network brings parcels nearer to people", () => {
    const [parcels, sites] = day(createRandom(testSeed()), { parcels: 1770, sites: 60, sideKm: 8 });
    const { doorToDoor, ownLockers, openNetwork, openConsolidated } = compareDelivery(assignParcels(parcels, sites));
    expect(ownLockers.stops).toBeLessThan(doorToDoor.stops / 5);
    expect(ownLockers.vanKm).toBeLessThan(doorToDoor.vanKm);
    expect(openNetwork.meanDistanceM).toBeLessThan(0.7 * ownLockers.meanDistanceM);
    expect(openConsolidated.stops).toBeLessThan(openNetwork.stops);
    expect(openConsolidated.vanKm).toBeLessThan(openNetwork.vanKm);
  });

  it("saves CO₂ if people walk, and costs CO₂ if they drive: a sweep of the share of car trips flips the sign once", () => {
    const [parcels, sites] = day(createRandom(testSeed()), { parcels: 600, sites: 12, sideKm: 12 });
    const assignment = assignParcels(parcels, sites);
    const savedAt = (car: number) => {
      const parameters: DeliveryParameters = { ...defaultDelivery, tripShares: { foot: 1 - car, onTheWay: 0, car } };
      const { doorToDoor, openConsolidated } = compareDelivery(assignment, parameters);
      return doorToDoor.kg - openConsolidated.kg;
    };
    const sweep = Array.from({ length: 21 }, (_, step) => savedAt(step / 20));
    expect(sweep).toEqual(sweep.toSorted((a, b) => b - a));
    expect(sweep[0]).toBeGreaterThan(0);
    expect(sweep.at(-1)).toBeLessThan(0);
  });

  it.each<[Partial<DeliveryParameters>, RegExp]>([
    [{ detour: 0.9 }, /detour is from 1 to 3, not 0.9/],
    [{ failedShare: 1 }, /failedShare is from 0 to 0.95, not 1/],
    [{ tripShares: { foot: 0.5, onTheWay: 0, car: 0.6 } }, /add up to 1 and none is below 0, not 0.5, 0 and 0.6/],
    [{ vanParcels: Number.NaN }, /vanParcels is from 1 to 10000, not NaN/],
  ])("refuse %j", (changed, message) => {
    expect(() => compareDelivery(assignParcels([], []), { ...defaultDelivery, ...changed })).toThrow(message);
  });
});
