import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Parcel, ParcelPlace, PlaceParcelSchema } from "@petak/protocol/counter";
import { icon, mark, notice, rows } from "@petak/ui";
import { html, nothing, type TemplateResult } from "lit";
import type { App } from "../app/app.ts";
import type { PlainKey } from "../words/english.ts";
import { frame, go } from "./frame.ts";

const placeWords: Readonly<Record<ParcelPlace, PlainKey>> = {
  [ParcelPlace.UNSPECIFIED]: "missing",
  [ParcelPlace.EXPECTED]: "expected",
  [ParcelPlace.ON_SHELF]: "onShelf",
  [ParcelPlace.FOR_COURIER]: "forCourier",
  [ParcelPlace.MISSING]: "missing",
};

/** How many rows are shown; more are found by search. */
const rowsMax = 60;

/** The parcels whose label, place or reservation ends in a text. */
export function findParcels(parcels: readonly Parcel[], text: string): readonly Parcel[] {
  const end = text.trim().toUpperCase();
  const names = ({ labelCodes, shelfPlace, reservationId }: Parcel): string[] => [...labelCodes, shelfPlace, reservationId];
  return end === "" ? parcels : parcels.filter((parcel) => names(parcel).some((name) => name.toUpperCase().endsWith(end)));
}

/** A label, its end in front of the eye. */
function labelWords({ labelCodes, reservationId }: Parcel): TemplateResult {
  const label = labelCodes[0] ?? reservationId;
  return html`<span class="label-code">${label.slice(0, -3)}<strong>${label.slice(-3)}</strong></span>`;
}

/** All parcels, with a search by the last characters. A scan anywhere on it opens the parcel. */
export function shelfScreen(app: App): TemplateResult {
  const { say, view } = app;
  const found = findParcels(app.parcels, view.search);
  const empty = view.search === "" ? say("emptyShelf") : say("noMatch", { text: view.search });
  const list = found.slice(0, rowsMax).map((parcel) => ({
    what: html`${labelWords(parcel)}<br /><small class="quiet">${say(placeWords[parcel.place] ?? "missing")} · ${parcel.sizeClassId}${parcel.courierName === "" ? nothing : html` · ${parcel.courierName}`}</small>`,
    value: parcel.shelfPlace,
    onPress: () => go("parcel", parcel.reservationId),
  }));
  const content = html`<div class="stack narrow">
    <label class="field"><span>${icon("search", 18)} ${say("search")}</span><input type="search" autocomplete="off" autocapitalize="characters" spellcheck="false" .value=${view.search} @input=${({ target }: InputEvent) => app.setView({ search: (target as HTMLInputElement).value })} /></label>
    ${list.length === 0 ? html`<div class="empty">${mark(56)}<p>${empty}</p></div>` : rows(list)}
    ${found.length > rowsMax ? html`<p class="quiet">${say("moreParcels", { count: found.length - rowsMax })}</p>` : nothing}
  </div>`;
  return frame(app, { title: say("shelf"), content });
}

/** One parcel: all that the store knows, and where it is put. */
export function parcelScreen(app: App): TemplateResult {
  const { say, view } = app;
  const parcel = app.parcels.find(({ reservationId }) => reservationId === app.route.id);
  if (parcel === undefined)
    return frame(app, {
      title: say("shelf"),
      back: "shelf",
      content: html`<div class="empty">${mark(56)}<p>${say("parcelGone")}</p></div>`,
    });
  const { place, sizeClassId, courierName, cameAt, collectUntil, cashDue, isDamaged, reservationId } = parcel;
  const when = (at: Parcel["cameAt"]): string => (at === undefined ? "–" : say.time(timestampMs(at), app.nowMs()));
  const put = (shelfPlace: string): void => {
    app.setView({ newPlace: undefined });
    void app.submit({ case: "placeParcel", value: create(PlaceParcelSchema, { reservationId, shelfPlace }) });
  };
  const save = (event: Event): void => {
    event.preventDefault();
    const wanted = (view.newPlace ?? "").trim().toUpperCase();
    if (wanted !== "") put(wanted);
  };
  const content = html`<div class="stack narrow">
    <div class="place"><p class="quiet">${say("place")}</p><p class="place-code">${parcel.shelfPlace}</p><p>${labelWords(parcel)}</p></div>
    ${isDamaged ? notice("attention", say("damaged")) : nothing}
    ${rows([
      { what: say(placeWords[place] ?? "missing"), value: "" },
      { what: say("size"), value: sizeClassId },
      ...(courierName === "" ? [] : [{ what: say("courier"), value: courierName }]),
      { what: say("came"), value: when(cameAt) },
      { what: say("collectUntil"), value: when(collectUntil) },
      ...(cashDue === undefined ? [] : [{ what: say("cashTaken", { amount: say.money(cashDue) }), value: "" }]),
    ])}
    ${place === ParcelPlace.MISSING ? html`<button class="button primary" type="button" @click=${() => put(parcel.shelfPlace)}>${say("foundIt")}</button>` : nothing}
    ${
      view.newPlace === undefined
        ? html`<button class="button" type="button" @click=${() => app.setView({ newPlace: "" })}>${say("newPlace")}</button>`
        : html`<form class="typing" @submit=${save}><label class="field"><span>${say("newPlace")}</span><input maxlength="16" autocomplete="off" autocapitalize="characters" .value=${view.newPlace} @input=${({ target }: InputEvent) => app.setView({ newPlace: (target as HTMLInputElement).value })} /></label><button class="button" type="submit">${say("save")}</button></form>`
    }
  </div>`;
  return frame(app, { title: say("shelf"), back: "shelf", content });
}
