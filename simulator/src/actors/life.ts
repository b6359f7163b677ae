import type { SiteOption } from "@petak/protocol";
import type { Intention } from "../trace/intention.ts";
import type { Courier } from "./courier.ts";

/** What has become of an intention so far. */
export interface Life {
  readonly intention: Intention;
  readonly courier: Courier;
  /** By the network's time. */
  readonly askedAtMs: number;
  /**
   * `asking`: at the checkout. `queued`: waits for a place. `held`: has a place, the parcel is not inside yet. `inside`: the parcel is inside. `over`: ended.
   */
  phase: "asking" | "queued" | "held" | "inside" | "over";
  /** Whether somebody acts on it now at a door or at the gateway, so that nobody else does. */
  isBusy: boolean;
  /** Nothing is planned any more: what follows depends on the gateway's clock alone. */
  isResting: boolean;
  options: readonly SiteOption[];
  reservationId?: string;
  siteId?: string;
  /** The nearest that was wanted. */
  wantedSiteId?: string;
  place?: { readonly sizeClassId: string; readonly compartmentId?: string };
  isConfirmed: boolean;
  /** Until when the place is kept if nothing happens, by the network's time. */
  keptUntilMs?: number;
  /** Whether it was observed that the place can be given to others. */
  isFreed: boolean;
  queuedAtMs?: number;
  waitedMs?: number;
  /** By the network's time. */
  depositedAtMs?: number;
  /** What the collector was given. */
  shown?: { readonly token: string; readonly pin: string };
  /** How often a door did not open. */
  failures: number;
}

/** What a visit to a door needs of an intention, and changes of it. */
export type Visitor = Pick<Life, "intention" | "courier" | "reservationId" | "siteId" | "shown" | "isFreed">;

/** What came of a visit. */
export type Visited = { readonly opened: true } | { readonly opened: false; readonly refusal: string };

export function newLife(intention: Intention, courier: Courier, askedAtMs: number): Life {
  return {
    intention,
    courier,
    askedAtMs,
    phase: "asking",
    isBusy: false,
    isResting: false,
    options: [],
    isConfirmed: false,
    isFreed: false,
    failures: 0,
  };
}
