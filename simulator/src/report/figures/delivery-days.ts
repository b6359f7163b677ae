import { assignParcels, type DayParcel, type DaySite } from "../../delivery/assign-parcels.ts";
import { compareDelivery, type Delivery, type DeliveryComparison } from "../../delivery/compare-delivery.ts";
import { checkDelivery, type DeliveryParameters, defaultDelivery } from "../../delivery/parameters.ts";
import type { SiteSeen } from "../../observe/observation.ts";
import { localClock } from "../../time/local-time.ts";
import type { TraceHeader } from "../../trace/header.ts";
import type { Intention } from "../../trace/intention.ts";
import { type DeliveryFigures, type DeliveryWay, type DeliveryWayFigures, deliveryWays } from "../report.ts";
import { describeDelivery } from "./delivery-sources.ts";
import { share } from "./spread.ts";

/** For the comparison of ways to deliver. */
export interface DeliveryOptions {
  /** Default: the documented ones. */
  readonly parameters?: DeliveryParameters;
  /** Farthest site that people accept, as the crow flies, in m. Default 5000. */
  readonly reachM?: number;
}

const dayMs = 86_400_000;

/** Days that are compared: the first ones with parcels. */
const mostDays = 7;

/** What is swept: the least and the greatest published share of failed first attempts, and trips by car. */
const failedShares = [0.03, 0.4] as const;
const mostCarShare = 0.5;
const sweepSteps = 20;

/** The parcels of a trace's days, for the comparison of ways to deliver them. */
export class DeliveryDays {
  readonly #startMs: number;
  readonly #localMs: (instantMs: number) => number;
  readonly #parameters: DeliveryParameters;
  readonly #reachM: number;
  readonly #days = new Map<number, DayParcel[]>();
  #hasIntentions = false;

  /** @throws RangeError if a parameter is out of its range */
  constructor(trace: TraceHeader, { parameters = defaultDelivery, reachM = 5000 }: DeliveryOptions = {}) {
    checkDelivery(parameters);
    this.#startMs = Date.parse(trace.startAt);
    this.#localMs = localClock(trace.timeZone);
    this.#parameters = parameters;
    this.#reachM = reachM;
  }

  /** Takes a parcel, if it is one that a courier delivers: a delivery that is neither left nor cancelled nor redirected. It counts on the local day of its order. */
  add({ atMs, purpose, change, depositAfterMs, latitude, longitude, courier }: Intention): void {
    this.#hasIntentions = true;
    if (purpose !== "DELIVERY" || change !== "KEEPS" || depositAfterMs === null) return;
    const day = Math.floor(this.#localMs(this.#startMs + atMs) / dayMs);
    const parcels = this.#days.get(day);
    if (parcels !== undefined) parcels.push({ latitude, longitude, courier });
    else if (this.#days.size < mostDays) this.#days.set(day, [{ latitude, longitude, courier }]);
  }

  /** Null if no intention was taken. */
  figures(seen: readonly SiteSeen[]): DeliveryFigures | null {
    if (!this.#hasIntentions) return null;
    const days = [...this.#days.values()];
    const sites = ownedSites(
      seen.filter(({ isActive }) => isActive),
      days.flat(),
    );
    const assignments = days.map((parcels) => assignParcels(parcels, sites, this.#reachM));
    const compareWith = (changed: Partial<DeliveryParameters>): DeliveryComparison =>
      sumOfDays(assignments.map((assignment) => compareDelivery(assignment, { ...this.#parameters, ...changed })));
    const asGiven = compareWith({});
    // Emissions of trips are proportional to the share by car, so all shares follow from one.
    const allByCar = compareWith({ tripShares: { foot: 0, onTheWay: 0, car: 1 } });
    const [fewFail, manyFail] = failedShares.map((failedShare) => compareWith({ failedShare })) as [DeliveryComparison, DeliveryComparison];
    const kgAt = (way: DeliveryWay, carShare: number) => allByCar[way].vanKg + carShare * allByCar[way].carKg;
    const figuresOf = (way: DeliveryWay): DeliveryWayFigures => {
      const { meanDistanceM, ...delivery } = asGiven[way];
      const breakEven = share(allByCar.doorToDoor.vanKg - allByCar[way].vanKg, allByCar[way].carKg);
      return {
        way,
        ...delivery,
        meanDistanceM: delivery.siteParcels === 0 ? null : meanDistanceM,
        kgRatio: share(delivery.kg, asGiven.doorToDoor.kg),
        kgLow: fewFail[way].vanKg,
        kgHigh: manyFail[way].vanKg + mostCarShare * allByCar[way].carKg,
        breakEvenCarShare: breakEven !== null && breakEven >= 0 && breakEven <= 1 ? breakEven : null,
      };
    };
    return {
      days: days.length,
      parcels: days.reduce((sum, { length }) => sum + length, 0),
      reachM: this.#reachM,
      ways: deliveryWays.map(figuresOf),
      carSweep: Array.from({ length: sweepSteps + 1 }, (_, step) => sweepPoint(step / sweepSteps, kgAt)),
      parameters: describeDelivery(this.#parameters, defaultDelivery),
    };
  }
}

function sweepPoint(carShare: number, kgAt: (way: DeliveryWay, carShare: number) => number) {
  const kg = Object.fromEntries(deliveryWays.map((way) => [way, kgAt(way, carShare)])) as Record<DeliveryWay, number>;
  return { carShare, ...kg };
}

/** The sites, each given to one courier as its own, in proportion to the parcels that they carry. The same sites and parcels give the same. */
function ownedSites(seen: readonly SiteSeen[], parcels: readonly DayParcel[]): DaySite[] {
  const couriers = [...Map.groupBy(parcels, ({ courier }) => courier)].sort(([a], [b]) => a - b);
  const shares = couriers.map(([owner, { length }]) => ({ owner, part: length / parcels.length, sites: 0 }));
  return seen
    .toSorted((a, b) => (a.siteId < b.siteId ? -1 : 1))
    .map(({ latitude, longitude }, index) => {
      const lacks = ({ part, sites }: { part: number; sites: number }) => part * (index + 1) - sites;
      const next = shares.reduce((best, one) => (lacks(one) > lacks(best) ? one : best), shares[0] ?? { owner: 1, part: 1, sites: 0 });
      next.sites += 1;
      return { latitude, longitude, owner: next.owner };
    });
}

function sumOfDays(days: readonly DeliveryComparison[]): DeliveryComparison {
  const sumOf = (way: DeliveryWay): Delivery => {
    const all = days.map((day) => day[way]);
    const sum = (numberOf: (delivery: Delivery) => number) => all.reduce((total, one) => total + numberOf(one), 0);
    const names = [
      "siteParcels",
      "doorParcels",
      "stops",
      "rounds",
      "vanKm",
      "vanHours",
      "vanKg",
      "manifests",
      "carKm",
      "carKg",
      "kg",
    ] as const;
    const sums = Object.fromEntries(names.map((name) => [name, sum((one) => one[name])])) as Record<(typeof names)[number], number>;
    return {
      ...sums,
      meanDistanceM:
        share(
          sum((one) => one.meanDistanceM * one.siteParcels),
          sums.siteParcels,
        ) ?? 0,
    };
  };
  return Object.fromEntries(deliveryWays.map((way) => [way, sumOf(way)])) as unknown as DeliveryComparison;
}
