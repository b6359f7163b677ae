import { PetakError, type Reservation } from "@petak/protocol";

/** The most that may exist of what participants make. Each name is that of the gateway's setting. */
export interface Quotas {
  /** Participants of the store. */
  participantsMax: number;
  /** A participant's own keys in one network that are not revoked. */
  keysMax: number;
  /** Keys of a participant's agents in one network that are not revoked. */
  agentKeysMax: number;
  /** A participant's publishable keys in one network that are not revoked. */
  publishableKeysMax: number;
  /** Sites of an operator in one network, including retired ones that have not ended. */
  sitesMax: number;
  /** Sites of an operator in one index cell and network, of the sites that are offered; twice as many of all operators in the test network. */
  cellSitesMax: number;
  /** Different size profiles of an operator's sites in one region and network, of the sites that are offered. */
  sizeProfilesMax: number;
  /** Different opening times of an operator's sites in one region and network, of the sites that are offered. */
  openingTimesMax: number;
  /** Different terms that an operator has stated in one network, as its default or for a site. */
  termsMax: number;
  /** Events of a reservation, those of changes of its sites left out, after which what adds to them as often as somebody likes is refused. */
  reservationEventsMax: number;
}

/** Limits that no known user comes near, and that bound the memory that one participant can take. */
export const defaultQuotas: Quotas = {
  participantsMax: 10_000,
  keysMax: 100,
  agentKeysMax: 40_000,
  publishableKeysMax: 10_000,
  sitesMax: 50_000,
  cellSitesMax: 1_000,
  sizeProfilesMax: 2_000,
  openingTimesMax: 10_000,
  termsMax: 2_000,
  reservationEventsMax: 1_000,
};

/** How many events of a reservation do not count: those that tell it of changes of its sites, which are not its parties' doing. */
export function uncountedEvents({ siteChange }: Pick<Reservation, "siteChange">): number {
  return siteChange?.number ?? 0;
}

/** A limit that is reached. */
export interface ReachedQuota {
  quota: keyof Quotas;
  limit: number;
  /** The number that counts now. */
  used: number;
  /** How many more the call would add. Default 1. */
  adding?: number;
  /** The participant, or the reservation; `gateway`, the region or the index cell for what all share. */
  subject: string;
}

/** How an error says what is counted, and what the caller can do about it. */
const texts: Readonly<Record<keyof Quotas, { what: string; remedy: string }>> = {
  participantsMax: { what: "participants", remedy: "raise participantsMax in the gateway's settings" },
  keysMax: { what: "keys in this network", remedy: "revoke keys that are not used any more" },
  agentKeysMax: { what: "keys of agents in this network", remedy: "revoke those of agents that were replaced" },
  publishableKeysMax: { what: "publishable keys in this network", remedy: "revoke those of pages that are gone" },
  sitesMax: {
    what: "sites in this network, with those that were retired in the last half year",
    remedy: "ask the gateway's administrator for a higher limit, or wait until retired ones have ended",
  },
  cellSitesMax: {
    what: "sites in this network within one index cell of 0.7 km²",
    remedy:
      "describe lockers that stand together as one site with more places, place test sites elsewhere, or retire those that are not used",
  },
  sizeProfilesMax: {
    what: "different sets of size classes in this region and network",
    remedy: "use the sizes of another of the sites, or retire those that are not used",
  },
  openingTimesMax: {
    what: "different opening hours in this region and network",
    remedy: "use the hours of another of the sites, e.g. by removing exceptions that have passed",
  },
  termsMax: {
    what: "different terms in this network, earlier ones included, since reservations name them",
    remedy: "state terms that were stated before, or ask the gateway's administrator for a higher limit",
  },
  reservationEventsMax: {
    what: "events",
    remedy: "use the credentials that were issued and the deadline as it is; it can still be confirmed, cancelled, collected and recalled",
  },
};

/** The error for a limit that is reached. */
export function quotaExhausted({ quota, limit, used, adding = 1, subject }: ReachedQuota): PetakError {
  const { what, remedy } = texts[quota];
  const more = adding > 1 ? `, the call would add ${adding}` : "";
  return new PetakError("QUOTA_EXHAUSTED", `${subject} has ${used} ${what}${more}, and the limit is ${limit}: ${remedy}`, {
    metadata: { quota, limit: String(limit), used: String(used), subject },
  });
}
