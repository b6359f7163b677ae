/** What is not measured: how many people send how much. Each is an assumption, none a figure of a statistics office; change them and run again. */
export const assumptions = {
  /** People of ASEAN, rounded down. */
  people: 650_000_000,
  /** Parcels for each of them in a year, of all couriers together: assumed, between the few of the poorer members and several tens of the richer. */
  parcelsPerPersonAndYear: 30,
  /** Share that goes to lockers and collection points: assumed, more than today. */
  outOfHomeShare: 0.5,
  /** The busiest day, a shopping day, over the mean day: assumed. */
  peakDayFactor: 3,
  /** Share of a day's reservations in its busiest hour: assumed; evenly spread it would be 0.04. */
  peakHourShare: 0.15,
  /** Looks at the nearest sites for each reservation: assumed, as in the benches. */
  looksPerReservation: 10,
  /** Further changes of a reservation (confirmed, deposited, collected), each reckoned to cost as much as Reserve, which finds a site too: assumed. */
  furtherChanges: 3,
  /** Times that a reservation changes what is free at a site: when it is held and when the place is given back. */
  countChanges: 2,
  /** Days for which a reservation stays in Redis, with what is remembered of it: assumed. */
  daysKept: 3,
  /** Places of a site, each used once a day at the most: assumed. */
  placesPerSite: 80,
  /** Share of every machine that is left idle in the busiest second. */
  headroom: 0.5,
  /** Memory of a Redis master that may be full, in bytes: assumed. */
  bytesPerMaster: 32e9,
} as const;

export type Assumptions = { readonly [name in keyof typeof assumptions]: number };
