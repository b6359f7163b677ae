import { icon, notice } from "@petak/ui";
import { html, nothing, type TemplateResult } from "lit";
import type { Notice } from "../model/state.ts";
import { placeState } from "../sites/offer.ts";
import { termsOf } from "./place.ts";
import type { View } from "./view.ts";

/** What is selected, and the one action, which is always in view. */
export function bar(view: View): TemplateResult {
  const { model, say, isMissing, isDisabled } = view;
  const { offers = [], selectedId, isConfirming } = model.state;
  const offer = offers.find(({ siteId }) => siteId === selectedId);
  const canChoose = offer !== undefined && placeState(offer, view.nowMs) === "free";
  const missing = offer === undefined ? say("valueMissing") : say("notConfirmed", { name: offer.name });
  const terms =
    offer === undefined ? nothing : html`<span class="terms"><br /><small class="quiet">${termsOf(say, offer.terms)}</small></span>`;
  return html`<div class="bar" part="bar">
    <div class="what">
      <strong>${offer?.name ?? say("chooseFirst")}</strong>
      ${isConfirming ? html`<br /><small class="quiet">${say("holding")}</small>` : terms}
      ${isMissing ? html`<div id="missing">${notice("error", missing)}</div>` : nothing}
    </div>
    <button class="button primary" part="confirm" type="button" ?disabled=${isDisabled || !canChoose} aria-disabled=${isConfirming || nothing} @click=${() => void model.confirm()}>
      ${say("collectHere")}
    </button>
  </div>`;
}

/** The choice that was made. */
export function chosen(view: View): TemplateResult {
  const { model, say, nowMs, isDisabled } = view;
  const { choice } = model.state;
  if (choice === undefined) return html``;
  const { name, street, operatorName, kind, heldUntil } = choice;
  const leftS = heldUntil === undefined ? undefined : (Date.parse(heldUntil) - nowMs) / 1000;
  return html`<div class="chosen" part="chosen">
    <div>
      <p class="quiet">${say("youCollectAt")}</p>
      <p class="name" tabindex="-1" id="chosen">${icon("done", 20)} <span>${name}</span></p>
      <p>${[street, say(kind), operatorName].filter(Boolean).join(" · ")}</p>
      ${leftS === undefined ? nothing : html`<p role="timer" class="quiet">${leftS > 0 ? say("heldFor", { duration: say.countdown(leftS) }) : say("holdEnded")}</p>`}
    </div>
    <button class="button" part="change" type="button" ?disabled=${isDisabled} @click=${model.change}>${say("change")}</button>
  </div>`;
}

/** What happened since the shopper's last action. */
export function notices(view: View): TemplateResult {
  const { notice: current } = view.model.state;
  const tone = current?.kind === "address-failed" || current?.kind === "not-offered" ? "error" : "attention";
  return html`<div class="notices">${current === undefined ? nothing : notice(tone, noticeWords(view, current))}</div>`;
}

function noticeWords({ model, say }: View, notice: Notice): string {
  switch (notice.kind) {
    case "address-not-found":
      return say("addressNotFound", { text: notice.text });
    case "address-failed":
      return say("addressFailed");
    case "location-denied":
      return say("locationDenied");
    case "choosing-failed":
      return say("notReached");
    case "hold-failed":
      return say("holdFailed");
    case "not-offered":
      return say("noLongerOffered", { name: notice.name });
    case "place-gone": {
      const { offers = [], selectedId } = model.state;
      const next = offers.find(({ siteId }) => siteId === selectedId)?.name;
      const gone = say("placeGone", { name: notice.name });
      return next === undefined ? gone : `${gone} ${say("nextBest", { name: next })}`;
    }
  }
}
