/** `<petak-picker>`: the places where a parcel can be collected, for any checkout page. Importing this defines the element where there is a browser. */
import type { PickerEvents } from "./element/events.ts";
import { PetakPicker } from "./element/petak-picker.ts";

export type { Hold, HoldAnswer, PickerChoice } from "./choice/choice.ts";
export type { PickerEvents } from "./element/events.ts";
export type { OwnReason, Problem } from "./gateway/problem.ts";
export type { CreateMap, MapSite, MapWords, PickerMap, PickerMapOptions, PlaceState, Point } from "./map/picker-map.ts";
export type { ResolveAddress } from "./model/core.ts";
export type { Address } from "./model/state.ts";
export type { PickerParcel } from "./settings/settings.ts";
export type { Offer } from "./sites/offer.ts";
export type { PriceOf } from "./view/view.ts";
export { PetakPicker };

// A page may load the script twice.
if (globalThis.customElements?.get("petak-picker") === undefined) globalThis.customElements?.define("petak-picker", PetakPicker);

declare global {
  interface HTMLElementTagNameMap {
    "petak-picker": PetakPicker;
  }
  interface HTMLElementEventMap extends PickerEvents {}
}
