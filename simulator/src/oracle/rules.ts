/** What must never be true of a network, by rule. The documentation is tested against this table. */
export const oracleRules = {
  "place-given-twice": "More places are promised or taken than are installed, or one compartment belongs to two reservations.",
  "spent-token-opened": "A credential opened a door after it had been used.",
  "opened-without-right":
    "A door opened for somebody who had no place there, no parcel behind it, or whose reservation was known to be over.",
  "door-event-missing": "A parcel went in or out, the terminal reported it, and no event tells of it.",
  "event-lost": "A feed has a gap, or has no event of something that was acknowledged.",
  "event-doubled": "A feed has an event twice.",
  "event-out-of-order": "Events of a feed or of a reservation contradict their order.",
  "count-differs": "The counts of a site contradict each other or the record.",
  "chain-broken": "A custody chain is not authentic or not complete.",
  "offered-closed": "A site was offered that is closed at the time that was asked for, or not in service.",
  "offered-too-small": "A place was offered into which the parcel does not fit.",
  "offered-full": "A place was offered where none is free.",
  "offered-stale": "A place was offered by counts that had expired.",
} as const;

export type Rule = keyof typeof oracleRules;
