import type { Position } from "@petak/protocol/geo";
import type { Assignment, DayParcel, DaySite, Place } from "./assign-parcels.ts";
import { checkDelivery, type DeliveryParameters, defaultDelivery } from "./parameters.ts";
import { addVanWork, type Load, noVanWork, vanWork } from "./vans.ts";

/** What one way to deliver takes on the day. Numbers are expected values, so not whole. */
export interface Delivery {
  /** Parcels by way of a site, and to the door. */
  readonly siteParcels: number;
  readonly doorParcels: number;
  readonly stops: number;
  readonly rounds: number;
  readonly vanKm: number;
  readonly vanHours: number;
  readonly vanKg: number;
  /** Lists of parcels that are handed over: one for each carrier and site that has parcels of it. */
  readonly manifests: number;
  /** Distance by car, in km, of people who fetch their parcels, and its emissions. */
  readonly carKm: number;
  readonly carKg: number;
  /** All emissions: vans and people. */
  readonly kg: number;
  /** Mean great-circle distance of a parcel's home from its site, in m. 0 without any. */
  readonly meanDistanceM: number;
}

/** The same parcels, delivered in four ways. */
export interface DeliveryComparison {
  /** Each courier to each door. */
  readonly doorToDoor: Delivery;
  /** Each courier to its own sites. */
  readonly ownLockers: Delivery;
  /** Each courier to any site. */
  readonly openNetwork: Delivery;
  /** One carrier to all sites, for all couriers. What it takes to bring parcels together before that is not counted. */
  readonly openConsolidated: Delivery;
}

/**
 * Compares four ways to deliver the parcels of one day.
 *
 * @throws RangeError if a parameter is out of its range
 */
export function compareDelivery({ parcels, own, open }: Assignment, parameters: DeliveryParameters = defaultDelivery): DeliveryComparison {
  checkDelivery(parameters);
  const deliverTo = (places: readonly (Place | undefined)[], carrierOf = ({ courier }: DayParcel) => courier) =>
    deliver(
      parcels.map((parcel, index) => ({ parcel, place: places[index] })),
      carrierOf,
      parameters,
    );
  return {
    doorToDoor: deliverTo([]),
    ownLockers: deliverTo(own),
    openNetwork: deliverTo(open),
    openConsolidated: deliverTo(open, () => consolidator),
  };
}

/** The carrier that brings all couriers' parcels to sites; couriers count from 1. */
const consolidator = 0;

interface Assigned {
  readonly parcel: DayParcel;
  readonly place: Place | undefined;
}

/** @param carrierOf the carrier of a parcel that goes to a site */
function deliver(assigned: readonly Assigned[], carrierOf: (parcel: DayParcel) => number, parameters: DeliveryParameters): Delivery {
  const loads = new Map<number, { doors: Position[]; sites: Set<DaySite>; siteParcels: number }>();
  const loadOf = (carrier: number) => {
    const known = loads.get(carrier) ?? { doors: [], sites: new Set<DaySite>(), siteParcels: 0 };
    loads.set(carrier, known);
    return known;
  };
  let distanceM = 0;
  for (const { parcel, place } of assigned) {
    if (place === undefined) {
      loadOf(parcel.courier).doors.push(parcel);
      continue;
    }
    const load = loadOf(carrierOf(parcel));
    load.sites.add(place.site);
    load.siteParcels += 1;
    distanceM += place.distanceM;
  }
  const all = [...loads.values()].map((load): Load => ({ ...load, sites: [...load.sites] }));
  const { stops, rounds, km, hours } = all.map((load) => vanWork(load, parameters)).reduce(addVanWork, noVanWork);
  const siteParcels = all.reduce((sum, load) => sum + load.siteParcels, 0);
  const carKm = carKmOf(distanceM, parameters);
  const [vanKg, carKg] = [km * parameters.vanKgPerKm, carKm * parameters.carKgPerKm];
  return {
    siteParcels,
    doorParcels: assigned.length - siteParcels,
    stops,
    rounds,
    vanKm: km,
    vanHours: hours,
    vanKg,
    manifests: all.reduce((sum, load) => sum + load.sites.length, 0),
    carKm,
    carKg,
    kg: vanKg + carKg,
    meanDistanceM: siteParcels === 0 ? 0 : distanceM / siteParcels,
  };
}

/** @param distanceM the sum of the distances of all parcels from their sites */
function carKmOf(distanceM: number, { detour, tripShares, onTheWayExtra, parcelsPerTrip }: DeliveryParameters): number {
  const thereAndBackKm = (2 * detour * distanceM) / 1000 / parcelsPerTrip;
  return thereAndBackKm * (tripShares.car + tripShares.onTheWay * onTheWayExtra);
}
