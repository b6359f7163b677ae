import type { Hold, PickerChoice } from "../choice/choice.ts";
import type { Directory } from "../gateway/directory.ts";
import type { Problem } from "../gateway/problem.ts";
import type { Point } from "../map/picker-map.ts";
import type { Settings } from "../settings/settings.ts";
import { type Offer, placeState } from "../sites/offer.ts";
import { createEarlierRelease, type EarlierRelease } from "./earlier-release.ts";
import { type Address, initialState, type State } from "./state.ts";

/** Finds the points that a typed address may mean, the likeliest first. None: nothing was found. */
export type ResolveAddress = (text: string, signal: AbortSignal) => Promise<readonly Address[]> | readonly Address[];

/** What the model works with, and whom it tells. */
export interface Ports {
  readonly settings: Settings;
  readonly directory: Directory;
  resolveAddress(): ResolveAddress | undefined;
  hold(): Hold | undefined;
  /** The browser's place. @throws if it cannot be had */
  locate(): Promise<Point>;
  now(): number;
  /** Something that is shown has changed. */
  changed(): void;
  /** For the shop. */
  failed(problem: Problem): void;
  chose(choice: PickerChoice): void;
  /** The same choice was signed anew. */
  signed(choice: PickerChoice): void;
  /** The choice is not possible any more. */
  lost(choice: PickerChoice): void;
  /** The shopper is somewhere else. */
  moved(): void;
}

/** What the parts of the model share. */
export interface Core {
  readonly ports: Ports;
  readonly state: State;
  readonly earlier: EarlierRelease;
  /** Changes what is shown. */
  set(change: Partial<State>): void;
  /** The time by the gateway's clock, in ms. */
  gatewayNow(): number;
  /** The selected site if it is still offered, else the nearest that is. @param notId a site that does not count */
  selectFrom(offers: readonly Offer[], notId?: string): string | undefined;
}

export function createCore(ports: Ports): Core {
  const state = initialState(ports.settings.filters);
  const gatewayNow = (): number => ports.now() + state.clockAheadMs;
  return {
    ports,
    state,
    earlier: createEarlierRelease(ports.failed),
    gatewayNow,
    set(change) {
      Object.assign(state, change);
      ports.changed();
    },
    selectFrom(offers, notId) {
      const free = offers.filter((offer) => placeState(offer, gatewayNow()) === "free" && offer.siteId !== notId);
      return (free.find(({ siteId }) => siteId === state.selectedId) ?? free[0])?.siteId;
    },
  };
}
