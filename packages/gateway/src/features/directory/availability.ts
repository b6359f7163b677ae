import { create } from "@bufbuild/protobuf";
import { type Duration, durationFromMs, type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { isKnownAt, type Observation } from "@petak/allocator";
import { AvailabilityState, type Site, type SiteAvailability, SiteAvailabilitySchema, SiteLifecycle } from "@petak/protocol";
import { freeToPromise, type SiteCounts } from "@petak/records";

/** Time of an observation, and how long it stays valid. */
export interface Freshness {
  observedAt: Timestamp;
  ttl: Duration;
}

/**
 * How long the gateway's own counts stay valid after they were read. They are exact when read; a minute is the usual requirement for fresh availability
 * at the 99th percentile.
 */
const ownCountsTtlMs = 60_000;

/** The same object in every response, so that it is encoded once. */
const ownCountsTtl = durationFromMs(ownCountsTtlMs);

let lastMs = Number.NaN;
let lastOwn: Freshness;

/**
 * Freshness of counts that are read now. For the gateway's own counts it is the same object within a millisecond, because many calls fall into one. It
 * must not be modified.
 */
export function freshnessOf(observation: Observation | undefined, nowMs: number): Freshness {
  if (observation !== undefined) return { observedAt: timestampFromMs(observation.observedAtMs), ttl: durationFromMs(observation.ttlMs) };
  if (nowMs !== lastMs) {
    lastMs = nowMs;
    lastOwn = { observedAt: timestampFromMs(nowMs), ttl: ownCountsTtl };
  }
  return lastOwn;
}

/** What the availability of a site is made of: a stored site has it. */
export interface CountedSite extends SiteCounts {
  readonly site: Pick<Site, "siteId" | "lifecycle"> & { readonly sizeClasses: readonly { readonly sizeClassId: string }[] };
  readonly isOffered: boolean;
}

/** The availability of a site. */
export function availabilityOf({ site, counts, observation, isOffered }: CountedSite, nowMs: number): SiteAvailability {
  return create(SiteAvailabilitySchema, {
    siteId: site.siteId,
    state: isKnownAt(observation, nowMs) ? AvailabilityState.KNOWN : AvailabilityState.UNKNOWN,
    acceptingDeposits: isOffered,
    acceptingCollections: site.lifecycle !== SiteLifecycle.PLANNED,
    sizeClasses: site.sizeClasses.map(({ sizeClassId }, index) => {
      const count = counts[index] ?? { installed: 0, inService: 0, occupied: 0, held: 0, occupiedByOthers: 0 };
      return { sizeClassId, ...count, freeToPromise: freeToPromise(count) };
    }),
    ...freshnessOf(observation, nowMs),
    publishedAt: timestampFromMs(nowMs),
  });
}
