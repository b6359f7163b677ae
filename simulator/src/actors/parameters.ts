/** How couriers and terminals behave, apart from what the trace says. */
export interface ActorParameters {
  /** Local hours at which each courier's vans leave. Default every two hours from 8 to 20. */
  readonly roundHours: readonly number[];
  /** From one stop of a van to the next, and from the depot to the first, in ms. Default six minutes. */
  readonly stopMs: number;
  /** Stops of a van in a round; a courier sends as many vans as it needs. Default 20. */
  readonly stopsPerVan: number;
  /** When a person comes again whose door did not open, in ms. Default two hours. */
  readonly tryAgainMs: number;
  /** How often a person tries before somebody must look. Default 3. */
  readonly tries: number;
  /** How many of those who look want a site that is open when they mean to come. Range: 0 to 1. Default 0.25. */
  readonly asksOpenShare: number;
  /** How much longer the courier asks the place to be kept for it than it needs, in ms. Default a day. */
  readonly depositMarginMs: number;
}

export const defaultActors: ActorParameters = {
  roundHours: [8, 10, 12, 14, 16, 18, 20],
  stopMs: 6 * 60_000,
  stopsPerVan: 20,
  tryAgainMs: 2 * 3_600_000,
  tries: 3,
  asksOpenShare: 0.25,
  depositMarginMs: 86_400_000,
};

/** What goes wrong at terminals and stores, by a seed. All zero: nothing. */
export interface Faults {
  readonly seed: number;
  /** How often a terminal loses the network, a day. */
  readonly offlinePerDay: number;
  /** For how long, in ms of the network's time. */
  readonly offlineMs: number;
  /** How often a terminal loses its power, a day. */
  readonly powerLossPerDay: number;
  /** For how long, in ms of the network's time. */
  readonly powerLossMs: number;
  /** Probability that a lock does not open. */
  readonly jammedDoors: number;
  /** How long after it a technician comes, in ms of the network's time as it passes in the trace. Infinity: never. */
  readonly repairMs: number;
  /** Probability that a reading of an occupancy sensor is unknown. */
  readonly blindSensors: number;
}

export const noFaults: Faults = {
  seed: 0,
  offlinePerDay: 0,
  offlineMs: 30 * 60_000,
  powerLossPerDay: 0,
  powerLossMs: 10 * 60_000,
  jammedDoors: 0,
  repairMs: 24 * 3_600_000,
  blindSensors: 0,
};
