import type { Assumptions } from "./assumptions.ts";

/** The cost of single operations, as measured by the benches. */
export interface MeasuredCosts {
  /** Processor time of a gateway for a FindNearest and a Reserve, in µs. */
  lookMicros: number;
  reserveMicros: number;
  /** Processor time of Redis for a Reserve, in µs. */
  redisReserveMicros: number;
  /**
   * Processor time of Redis for each query of one gateway with an index cache, in µs, and the queries for each hold in that measurement:
   * their product is the cost of one change for each gateway that caches it.
   */
  warmQueryMicros: number;
  queriesPerHold: number;
  /** Memory of Redis for a site with its facts, and for a reservation, in bytes. */
  siteBytes: number;
  reservationBytes: number;
}

/** The capacity of a core and a master, and the requirements of all of ASEAN on its busiest day. */
export interface Scale {
  /** Operations a second of one core of a gateway that does nothing else, without the headroom. */
  looksPerCore: number;
  reservationsPerCore: number;
  /** Reservations a second of one Redis master, including their further changes, and the number of sites that fit into it. */
  reservationsPerMaster: number;
  sitesPerMaster: number;
  parcelsPerDay: number;
  peakDayReservations: number;
  reservationsPerSecond: number;
  looksPerSecond: number;
  changesPerSecond: number;
  sites: number;
  /** Cores of gateways for searches and for changes without the headroom, and in all with it. */
  lookCores: number;
  changeCores: number;
  gatewayCores: number;
  /**
   * Cores of Redis for changes and for informing all gateways of them, without the headroom; masters required by processor time and by
   * memory.
   */
  redisChangeCores: number;
  redisInvalidationCores: number;
  mastersByProcessor: number;
  memoryBytes: number;
  mastersByMemory: number;
  masters: number;
}

const secondsOfHour = 3600;
const daysOfYear = 365;

/** Estimates the requirements of the whole network from the cost of single operations. */
export function estimateScale(costs: MeasuredCosts, assumed: Assumptions): Scale {
  const usable = 1 - assumed.headroom;
  const changes = 1 + assumed.furtherChanges;
  const parcelsPerDay = (assumed.people * assumed.parcelsPerPersonAndYear) / daysOfYear;
  const peakDayReservations = parcelsPerDay * assumed.peakDayFactor * assumed.outOfHomeShare;
  const reservationsPerSecond = (peakDayReservations * assumed.peakHourShare) / secondsOfHour;
  const looksPerSecond = reservationsPerSecond * assumed.looksPerReservation;
  const changesPerSecond = reservationsPerSecond * changes;
  const sites = peakDayReservations / assumed.placesPerSite;
  const lookCores = coresOf(looksPerSecond, costs.lookMicros);
  const changeCores = coresOf(changesPerSecond, costs.reserveMicros);
  const gatewayCores = Math.ceil((lookCores + changeCores) / usable);
  const redisChangeCores = coresOf(changesPerSecond, costs.redisReserveMicros);
  // As if every gateway, one process for each core, cached the whole index and was informed of all its changes.
  const invalidationMicros = costs.warmQueryMicros * costs.queriesPerHold * gatewayCores;
  const redisInvalidationCores = coresOf(reservationsPerSecond * assumed.countChanges, invalidationMicros);
  const mastersByProcessor = Math.ceil((redisChangeCores + redisInvalidationCores) / usable);
  const memoryBytes = sites * costs.siteBytes + peakDayReservations * assumed.daysKept * costs.reservationBytes;
  const mastersByMemory = Math.ceil(memoryBytes / (assumed.bytesPerMaster * usable));
  return {
    looksPerCore: (usable * 1e6) / costs.lookMicros,
    reservationsPerCore: (usable * 1e6) / costs.reserveMicros,
    reservationsPerMaster: (usable * 1e6) / (changes * costs.redisReserveMicros + assumed.countChanges * invalidationMicros),
    sitesPerMaster: (usable * assumed.bytesPerMaster) / costs.siteBytes,
    parcelsPerDay,
    peakDayReservations,
    reservationsPerSecond,
    looksPerSecond,
    changesPerSecond,
    sites,
    lookCores,
    changeCores,
    gatewayCores,
    redisChangeCores,
    redisInvalidationCores,
    mastersByProcessor,
    memoryBytes,
    mastersByMemory,
    masters: Math.max(mastersByProcessor, mastersByMemory),
  };
}

/** The cores that a rate of operations keeps busy. */
function coresOf(perSecond: number, micros: number): number {
  return (perSecond * micros) / 1e6;
}
