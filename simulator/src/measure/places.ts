import type { Observation, SiteSampled } from "../observe/observation.ts";

export interface PlacesInUse {
  /** Places in service, as far as known. */
  readonly inService: number;
  /** Those of them that are occupied or promised, by whomever. */
  readonly inUse: number;
}

/** Counts places: by the last sample of each site, and what the run has given and freed there since. */
export class Places {
  readonly #sites = new Map<string, { inService: number; inUse: number }>();
  /** Sites of the reservations that have a place. */
  readonly #siteOf = new Map<string, string>();

  observe(observation: Observation): void {
    switch (observation.kind) {
      case "site": {
        const { siteId, sizeClasses } = observation;
        const inService = sizeClasses.reduce((sum, { installed }) => sum + installed, 0);
        this.#sites.set(siteId, { inUse: this.#sites.get(siteId)?.inUse ?? 0, inService });
        return;
      }
      case "counts": {
        if (!observation.isKnown) return;
        const inService = sum(observation, "inService");
        this.#sites.set(observation.siteId, { inService, inUse: inService - sum(observation, "freeToPromise") });
        return;
      }
      case "given":
        this.#release(observation.reservationId);
        this.#siteOf.set(observation.reservationId, observation.siteId);
        this.#add(observation.siteId, 1);
        return;
      case "freed":
        this.#release(observation.reservationId);
    }
  }

  inUse(): PlacesInUse {
    const total = { inService: 0, inUse: 0 };
    for (const { inService, inUse } of this.#sites.values()) {
      total.inService += inService;
      total.inUse += Math.min(inService, Math.max(0, inUse));
    }
    return total;
  }

  #release(reservationId: string): void {
    const siteId = this.#siteOf.get(reservationId);
    if (siteId === undefined) return;
    this.#siteOf.delete(reservationId);
    this.#add(siteId, -1);
  }

  #add(siteId: string, places: number): void {
    const site = this.#sites.get(siteId);
    if (site !== undefined) site.inUse += places;
  }
}

function sum({ sizeClasses }: SiteSampled, count: "inService" | "freeToPromise"): number {
  return sizeClasses.reduce((total, sizeClass) => total + sizeClass[count], 0);
}
