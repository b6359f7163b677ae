import type { PickerChoice } from "../choice/choice.ts";
import type { Problem } from "../gateway/problem.ts";
import type { Point } from "../map/picker-map.ts";
import type { Filter } from "../settings/filters.ts";
import { type NotOffered, noneLeftOut } from "../sites/left-out.ts";
import type { Offer, SiteFacts } from "../sites/offer.ts";
import type { Operators } from "./operators.ts";

/** A point that a typed address may mean. */
export interface Address extends Point {
  /** For the shopper to read. */
  readonly label: string;
}

/** A notice to the shopper that stands until they do something else. */
export type Notice =
  | { readonly kind: "address-not-found"; readonly text: string }
  | { readonly kind: "address-failed" }
  | { readonly kind: "location-denied" }
  | { readonly kind: "place-gone"; readonly name: string }
  | { readonly kind: "hold-failed" }
  | { readonly kind: "choosing-failed" }
  | { readonly kind: "not-offered"; readonly name: string };

/** All that the picker shows. */
export interface State {
  point: Point | undefined;
  /** What the address field says. */
  typed: string;
  /** What a typed address may mean, if that is not clear. */
  addresses: readonly Address[];
  isLocating: boolean;
  filters: ReadonlySet<Filter>;
  /** The operators near the point that can be shown only. */
  operators: Operators;
  /** Those that the shopper shows only. Empty: all. */
  operatorIds: ReadonlySet<string>;
  /** The time of day at which a place must be open, in minutes after midnight there. */
  openAtMinute: number | undefined;
  /** When that is next, in ms by the gateway's clock: as of the last search. */
  openAtMs: number | undefined;
  /** Whether all filters are shown where there is little room. */
  areFiltersOpen: boolean;
  /** How many options are asked for. */
  limit: number;
  /** Since when a search that the shopper waits for is under way, in ms. */
  searchingSinceMs: number | undefined;
  /** Undefined: nothing was found yet. */
  offers: readonly Offer[] | undefined;
  notOffered: NotOffered;
  /** The facts of sites by `siteId`. */
  readonly facts: Map<string, SiteFacts>;
  selectedId: string | undefined;
  problem: Problem | undefined;
  notice: Notice | undefined;
  choice: PickerChoice | undefined;
  /** Whether the shopper looks for another place although there is a choice. */
  isChanging: boolean;
  isConfirming: boolean;
  /** How far the gateway's clock is ahead of this one, in ms. */
  clockAheadMs: number;
}

/** How many options a search asks for, at first and with each "show more". The protocol allows 50. */
export const pageSize = 10;
export const maxLimit = 50;

export function initialState(filters: ReadonlySet<Filter>): State {
  return {
    point: undefined,
    typed: "",
    addresses: [],
    isLocating: false,
    filters,
    operators: new Map(),
    operatorIds: new Set(),
    openAtMinute: undefined,
    openAtMs: undefined,
    areFiltersOpen: false,
    limit: pageSize,
    searchingSinceMs: undefined,
    offers: undefined,
    notOffered: noneLeftOut,
    facts: new Map(),
    selectedId: undefined,
    problem: undefined,
    notice: undefined,
    choice: undefined,
    isChanging: false,
    isConfirming: false,
    clockAheadMs: 0,
  };
}
