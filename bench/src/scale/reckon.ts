import type { Assumptions } from "./assumptions.ts";

/** What one thing costs, as the benches measured it. */
export interface MeasuredCosts {
  /** Processor time of a gateway for a FindNearest and a Reserve, in µs. */
  lookMicros: number;
  reserveMicros: number;
  /** Processor time of Redis for a Reserve, in µs. */
  redisReserveMicros: number;
  /**
   * Processor time of Redis for each query of one gateway that keeps the index in memory, in µs, and the queries for each hold it was measured at:
   * their product is what one change costs because one gateway keeps what it changes.
   */
  warmQueryMicros: number;
  queriesPerHold: number;
  /** Memory of Redis for a site with its facts, and for a reservation, in bytes. */
  siteBytes: number;
  reservationBytes: number;
}

/** What a core and a master carry, and what all of ASEAN needs on its busiest day. */
export interface Scale {
  /** A core of gateway does so many in a second, if it does nothing else, with the head-room kept. */
  looksPerCore: number;
  reservationsPerCore: number;
  /** A master of Redis takes so many reservations in a second, with the changes after it, and has room for so many sites. */
  reservationsPerMaster: number;
  sitesPerMaster: number;
  parcelsPerDay: number;
  peakDayReservations: number;
  reservationsPerSecond: number;
  looksPerSecond: number;
  changesPerSecond: number;
  sites: number;
  /** Cores of gateway for looks and for changes, before and with the head-room. */
  lookCores: number;
  changeCores: number;
  gatewayCores: number;
  /** Cores of Redis for changes and for telling all gateways of them, before the head-room; masters by processor and by memory. */
  redisChangeCores: number;
  redisTellingCores: number;
  mastersByProcessor: number;
  memoryBytes: number;
  mastersByMemory: number;
  masters: number;
}

const secondsOfHour = 3600;
const daysOfYear = 365;

/** Reckons from what one thing costs to what all of it needs. */
export function reckon(costs: MeasuredCosts, assumed: Assumptions): Scale {
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
  // As if every gateway, a process for each core, kept all of the index and were told of all its changes.
  const tellingMicros = costs.warmQueryMicros * costs.queriesPerHold * gatewayCores;
  const redisTellingCores = coresOf(reservationsPerSecond * assumed.countChanges, tellingMicros);
  const mastersByProcessor = Math.ceil((redisChangeCores + redisTellingCores) / usable);
  const memoryBytes = sites * costs.siteBytes + peakDayReservations * assumed.daysKept * costs.reservationBytes;
  const mastersByMemory = Math.ceil(memoryBytes / (assumed.bytesPerMaster * usable));
  return {
    looksPerCore: (usable * 1e6) / costs.lookMicros,
    reservationsPerCore: (usable * 1e6) / costs.reserveMicros,
    reservationsPerMaster: (usable * 1e6) / (changes * costs.redisReserveMicros + assumed.countChanges * tellingMicros),
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
    redisTellingCores,
    mastersByProcessor,
    memoryBytes,
    mastersByMemory,
    masters: Math.max(mastersByProcessor, mastersByMemory),
  };
}

/** Cores that so many things a second keep busy. */
function coresOf(perSecond: number, micros: number): number {
  return (perSecond * micros) / 1e6;
}
