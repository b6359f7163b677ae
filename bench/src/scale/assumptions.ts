/**
 * The quantities that are not measured: how many people send how much. Each is an assumption, not an official statistic; change them and
 * run again.
 */
export const assumptions = {
  /** People of ASEAN, rounded down. */
  people: 650_000_000,
  /**
   * Parcels for each of them in a year, of all couriers together: assumed, between the few in poorer members and several tens in richer
   * ones.
   */
  parcelsPerPersonAndYear: 30,
  /** Share that goes to lockers and collection points: assumed, more than today. */
  outOfHomeShare: 0.5,
  /** The busiest day, a shopping day, relative to the mean day: assumed. */
  peakDayFactor: 3,
  /** Share of a day's reservations in its busiest hour: assumed; evenly distributed it would be 0.04. */
  peakHourShare: 0.15,
  /** Searches for the nearest sites for each reservation: assumed, as in the benches. */
  looksPerReservation: 10,
  /**
   * Further changes of a reservation (confirmed, deposited, collected), each assumed to cost as much as Reserve, which also finds a site.
   */
  furtherChanges: 3,
  /** How often a reservation changes the free places of a site: when it is held and when the place is freed. */
  countChanges: 2,
  /** Days for which a reservation stays in Redis, with its stored responses: assumed. */
  daysKept: 3,
  /** Places of a site, each used at most once a day: assumed. */
  placesPerSite: 80,
  /** Share of every machine that is idle in the busiest second. */
  headroom: 0.5,
  /** Usable memory of a Redis master, in bytes: assumed. */
  bytesPerMaster: 32e9,
} as const;

export type Assumptions = { readonly [name in keyof typeof assumptions]: number };
