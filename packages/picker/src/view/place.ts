import { html, nothing, type TemplateResult } from "lit";
import { type Offer, placeState, secondsOf } from "../sites/offer.ts";
import { type OpenState, openStateAt, wallClockMs } from "../sites/open-state.ts";
import { walkMinutes } from "../sites/walk.ts";
import type { Speaker } from "../words/speak.ts";
import type { View } from "./view.ts";

/** How many free places are few. */
const few = 1;

/** One place of the list. Its number and its age are one sentence: a number without an age is not believed. */
export function place(view: View, offer: Offer, index: number): TemplateResult {
  const { model, say, nowMs, isDisabled } = view;
  const isSelected = model.state.selectedId === offer.siteId;
  const state = placeState(offer, nowMs);
  const walkMin = walkMinutes(offer.distanceM);
  const street = [offer.kind === "store" ? say("store") : offer.street, offer.operatorName].filter(Boolean).join(" · ");
  const described = ["far", "street", "free", "facts"].map((part) => `${part}-${index}`).join(" ");
  return html`<label class="place" part="place ${isSelected ? "place-selected" : ""}">
    <input type="radio" name="place" value=${offer.siteId} .checked=${isSelected} ?disabled=${isDisabled || state !== "free"} aria-labelledby="name-${index}" aria-describedby=${described} @change=${() => model.select(offer.siteId)} />
    <span class="name" id="name-${index}">${offer.name}</span>
    <span class="far" id="far-${index}"><strong>${say.distance(offer.distanceM)}</strong>${
      walkMin === undefined ? nothing : html`<small class="quiet">${say("walk", { duration: say.duration(walkMin * 60) })}</small>`
    }</span>
    <small class="street quiet" id="street-${index}">${street}</small>
    <small class="line" id="free-${index}">${freeOf(view, offer)}</small>
    <small class="line facts" id="facts-${index}">${facts(view, offer).map((fact) => html`<span>${fact}</span>`)}</small>
    ${isSelected ? more(view, offer) : nothing}
  </label>`;
}

function freeOf({ say, nowMs }: View, offer: Offer): TemplateResult {
  const ago = say.ago((nowMs - offer.observedAtMs) / 1000);
  const state = placeState(offer, nowMs);
  if (state === "unknown") return html`<span>${say("notKnown", { ago })}</span>`;
  const words = state === "full" ? say("full") : say("freeThatFit", { count: offer.free });
  const tone = state === "full" ? "none" : offer.free <= few ? "few" : "";
  return html`<span class="free ${tone}">${words}</span>&ensp;<span class="quiet">${say("checked", { ago })}</span>`;
}

/** Hours, access and price. */
function facts(view: View, offer: Offer): readonly string[] {
  const { model, say, nowMs, priceOf } = view;
  const { openingHours, timeZone = "" } = model.state.facts.get(offer.siteId) ?? {};
  const { openAtMs } = model.state;
  const nowWallMs = wallClockMs(timeZone, nowMs);
  const wallMs = openAtMs === undefined ? nowWallMs : wallClockMs(timeZone, openAtMs);
  const isKnown = openingHours !== undefined && wallMs !== undefined && nowWallMs !== undefined;
  const then = isKnown ? hoursOf(say, openStateAt(openingHours, wallMs), wallMs) : undefined;
  const hours = isKnown && openAtMs !== undefined ? `${say.time(wallMs, nowWallMs)}: ${then}` : then;
  // A space holds the line while the hours are on their way.
  return [hours ?? "\u00a0", offer.isStepFree ? say("stepFree") : undefined, priceOf?.(offer)].filter((fact) => fact !== undefined);
}

function hoursOf(say: Speaker, { isOpen, changesAtWallMs }: OpenState, wallMs: number): string {
  if (changesAtWallMs === undefined) return say(isOpen ? "openAlways" : "closed");
  return say(isOpen ? "openUntil" : "closedUntil", { time: say.time(changesAtWallMs, wallMs) });
}

/** What is worth knowing of the selected place: how to find it, and how long a parcel may stay. */
function more({ model, say }: View, { siteId, terms }: Offer): TemplateResult {
  const hint = model.state.facts.get(siteId)?.access?.entranceHint ?? "";
  return html`<small class="line">${hint === "" ? nothing : html`${say("entrance", { hint })}<br />`}${termsOf(say, terms)}</small>`;
}

/** The terms in a sentence. */
export function termsOf(say: Speaker, { freeStorage, extensionPricePerDay }: Offer["terms"]): string {
  if (freeStorage === undefined) return "";
  const kept = say("keptFree", { duration: say.duration(secondsOf(freeStorage)) });
  return extensionPricePerDay === undefined ? `${kept}.` : `${kept}, ${say("thenPerDay", { price: say.money(extensionPricePerDay) })}.`;
}
