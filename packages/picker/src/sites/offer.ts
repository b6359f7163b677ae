import type { Site, SiteOption, Terms } from "@petak/protocol";
import type { JsonOf } from "../gateway/json-of.ts";
import type { PlaceState, Point } from "../map/picker-map.ts";

/** A site's kind. */
export type Kind = "terminal" | "store";

/** A site near the shopper at which the parcel can be collected, or could be: see `state`. */
export interface Offer extends Point {
  readonly siteId: string;
  readonly name: string;
  /** The most specific line of its address, or its town. */
  readonly street: string;
  readonly kind: Kind;
  readonly operatorId: string;
  readonly operatorName: string;
  /** Great-circle distance from the point, in m. */
  readonly distanceM: number;
  /** Places that fit and are free. At most 255, which means 255 or more. */
  readonly free: number;
  /** When `free` was observed, and until when it is valid, in ms by the gateway's clock. */
  readonly observedAtMs: number;
  readonly validUntilMs: number;
  readonly isStepFree: boolean;
  readonly terms: JsonOf<Terms>;
  readonly revision: number;
}

/** The facts of a site that only GetSite tells. */
export type SiteFacts = JsonOf<Site>;

/** An offer from an option of FindNearest. Undefined if it lacks what no option lacks. */
export function offerOf({ site, distanceM = 0, freeToPromise = 0, observedAt = "", ttl = "0s" }: JsonOf<SiteOption>): Offer | undefined {
  const { siteId, position, address, name = "" } = site ?? {};
  const observedAtMs = Date.parse(observedAt);
  if (site === undefined || siteId === undefined || position === undefined || Number.isNaN(observedAtMs)) return undefined;
  return {
    siteId,
    name,
    latitude: position.latitude ?? 0,
    longitude: position.longitude ?? 0,
    street: address?.lines?.[0] ?? address?.locality ?? "",
    kind: site.kind === "SITE_KIND_COLLECTION_POINT" ? "store" : "terminal",
    operatorId: site.operatorId ?? "",
    operatorName: site.operatorName ?? "",
    distanceM,
    free: freeToPromise,
    observedAtMs,
    validUntilMs: observedAtMs + secondsOf(ttl) * 1000,
    isStepFree: site.stepFree === true,
    terms: site.terms ?? {},
    revision: site.revision ?? 0,
  };
}

/** What is known of an offer's places at a time of the gateway's clock. A number that has expired counts for nothing. */
export function placeState({ free, validUntilMs }: Offer, atMs: number): PlaceState {
  if (atMs > validUntilMs) return "unknown";
  return free > 0 ? "free" : "full";
}

/** The seconds of a duration in JSON, e.g. `300s`. */
export function secondsOf(duration: string): number {
  return Number.parseFloat(duration) || 0;
}
