/** Shares of the ways in which people fetch parcels; they add up to 1. */
export interface TripShares {
  foot: number;
  /** By the way of another trip. */
  onTheWay: number;
  /** By car, there and back for this alone. */
  car: number;
}

/** The parameters of the delivery model. `docs/simulator.md` has them with their sources. */
export interface DeliveryParameters {
  /** Road distance over great-circle distance. */
  detour: number;
  /** Road distance from the depot to the first stop, and from the last one back, in km. */
  stemKm: number;
  /** Mean speed between stops, and between depot and stops, in km/h. */
  stopSpeedKmh: number;
  stemSpeedKmh: number;
  /** Parcels for each stop at a door. */
  parcelsPerDoorStop: number;
  /** Share of first attempts at a door that fail; the second and third fail as often. */
  failedShare: number;
  /** Attempts at a door before the parcel goes back. */
  attempts: number;
  /** Time for each stop at a door, in minutes. */
  doorStopMin: number;
  /** Time for each stop at a site, and for each parcel there, in minutes. */
  siteStopMin: number;
  siteParcelMin: number;
  /** Most parcels of a round, and its longest time in hours. */
  vanParcels: number;
  shiftHours: number;
  /** Emissions in kg CO₂e for each km. */
  vanKgPerKm: number;
  carKgPerKm: number;
  tripShares: TripShares;
  /** Part of the way there and back that a trip on the way adds by car. */
  onTheWayExtra: number;
  /** Parcels fetched in one trip. */
  parcelsPerTrip: number;
}

/** The documented defaults. */
export const defaultDelivery: DeliveryParameters = {
  detour: 1.3,
  stemKm: 10,
  stopSpeedKmh: 20,
  stemSpeedKmh: 40,
  parcelsPerDoorStop: 1.2,
  failedShare: 0.06,
  attempts: 3,
  doorStopMin: 4,
  siteStopMin: 8,
  siteParcelMin: 0.5,
  vanParcels: 180,
  shiftHours: 8,
  vanKgPerKm: 0.26,
  carKgPerKm: 0.17,
  tripShares: { foot: 0.6, onTheWay: 0.25, car: 0.15 },
  onTheWayExtra: 0.1,
  parcelsPerTrip: 1.1,
};

/** Limits, inclusive. */
const limits: Record<Exclude<keyof DeliveryParameters, "tripShares">, readonly [min: number, max: number]> = {
  detour: [1, 3],
  stemKm: [0, 500],
  stopSpeedKmh: [1, 100],
  stemSpeedKmh: [1, 130],
  parcelsPerDoorStop: [1, 100],
  failedShare: [0, 0.95],
  attempts: [1, 10],
  doorStopMin: [0, 60],
  siteStopMin: [0, 120],
  siteParcelMin: [0, 30],
  vanParcels: [1, 10_000],
  shiftHours: [1, 24],
  vanKgPerKm: [0, 5],
  carKgPerKm: [0, 5],
  onTheWayExtra: [0, 1],
  parcelsPerTrip: [1, 20],
};

/**
 * Checks the parameters.
 *
 * @throws RangeError that names the parameter, its value and its limits
 */
export function checkDelivery(parameters: DeliveryParameters): void {
  for (const [name, [min, max]] of Object.entries(limits)) {
    const value = parameters[name as keyof typeof limits];
    if (!(value >= min && value <= max)) throw new RangeError(`${name} is from ${min} to ${max}, not ${value}`);
  }
  const { foot, onTheWay, car } = parameters.tripShares;
  if (!(Math.min(foot, onTheWay, car) >= 0 && Math.abs(foot + onTheWay + car - 1) < 1e-6)) {
    throw new RangeError(`the tripShares foot, onTheWay and car add up to 1 and none is below 0, not ${foot}, ${onTheWay} and ${car}`);
  }
}
