import type { Position } from "@petak/protocol/geo";
import type { DeliveryParameters } from "./parameters.ts";
import { effectiveAreaKm2, tourKm } from "./tour-length.ts";

/** What one carrier has to deliver on one day. */
export interface Load {
  /** Homes that get their parcel at the door, one for each parcel. */
  readonly doors: readonly Position[];
  /** Sites that get parcels, each once. */
  readonly sites: readonly Position[];
  /** How many parcels go to sites. */
  readonly siteParcels: number;
}

/** What the vans of one or more carriers do on one day. Numbers are expected values, so not whole. */
export interface VanWork {
  readonly stops: number;
  readonly rounds: number;
  readonly km: number;
  readonly hours: number;
}

export const noVanWork: VanWork = { stops: 0, rounds: 0, km: 0, hours: 0 };

export function addVanWork(a: VanWork, b: VanWork): VanWork {
  return { stops: a.stops + b.stops, rounds: a.rounds + b.rounds, km: a.km + b.km, hours: a.hours + b.hours };
}

/**
 * The work of one carrier: its stops are divided among the fewest rounds that hold the parcels and end within the shift. Each round goes from the depot to its own
 * part of the area, makes the shortest tour there, and returns (C. F. Daganzo, "Logistics Systems Analysis", chapter 4).
 */
export function vanWork({ doors, sites, siteParcels }: Load, parameters: DeliveryParameters): VanWork {
  const { failedShare, attempts, parcelsPerDoorStop, doorStopMin, siteStopMin, siteParcelMin, vanParcels, shiftHours } = parameters;
  const doorParcels = doors.length * attemptsPerParcel(failedShare, attempts);
  const doorStops = doorParcels / parcelsPerDoorStop;
  const stops = doorStops + sites.length;
  if (stops === 0) return noVanWork;
  const areaKm2 = effectiveAreaKm2([...doors, ...sites]);
  const stopHours = (doorStops * doorStopMin + sites.length * siteStopMin + siteParcels * siteParcelMin) / 60;
  const workIn = (rounds: number): VanWork => {
    const tourRoadKm = rounds * tourKm(stops / rounds, areaKm2 / rounds) * parameters.detour;
    const stemRoadKm = rounds * 2 * parameters.stemKm;
    const hours = stopHours + tourRoadKm / parameters.stopSpeedKmh + stemRoadKm / parameters.stemSpeedKmh;
    return { stops, rounds, km: tourRoadKm + stemRoadKm, hours };
  };
  // No more rounds than stops: a round of one stop is as short as rounds get.
  const mostRounds = Math.max(1, Math.ceil(stops));
  let rounds = Math.min(mostRounds, Math.max(1, Math.ceil((doorParcels + siteParcels) / vanParcels), Math.ceil(stopHours / shiftHours)));
  let work = workIn(rounds);
  while (work.hours > rounds * shiftHours && rounds < mostRounds) work = workIn(++rounds);
  return work;
}

/** Expected attempts at the door: one, and another after each that failed, up to the last. */
export function attemptsPerParcel(failedShare: number, attempts: number): number {
  let expected = 0;
  for (let attempt = 0; attempt < attempts; attempt++) expected += failedShare ** attempt;
  return expected;
}
