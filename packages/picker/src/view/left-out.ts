import { html, nothing, type TemplateResult } from "lit";
import type { Reason } from "../sites/left-out.ts";
import type { PlainKey } from "../words/english.ts";
import type { Speaker } from "../words/speak.ts";
import type { View } from "./view.ts";

const reasonWords: Readonly<Record<string, PlainKey>> = {
  KIND: "whyKind",
  OPERATOR: "whyOperator",
  PURPOSE: "whyPurpose",
  COUNTRY: "whyCountry",
  PARCEL_REQUIREMENT: "whyParcel",
  STEP_FREE: "whyNotStepFree",
  CARD_PAYMENT: "whyNoCard",
  DOES_NOT_FIT: "whyTooSmall",
  REFRIGERATED: "whyNotCooled",
  COMPARTMENT_HEIGHT: "whyTooHigh",
  CLOSED: "whyClosed",
  UNKNOWN_AVAILABILITY: "whyUnknown",
  FULL: "whyFull",
};

/** Why a site is not offered, in the shopper's language. */
export function why(say: Speaker, reason: Reason): string {
  return say(reasonWords[reason] ?? "whyOther");
}

/** What is nearby and not offered, with the reasons one tap away: site by site where the gateway names them, the others by number. */
export function notOffered({ model, say }: View): TemplateResult | typeof nothing {
  const { counts, sites } = model.state.notOffered;
  const count = counts.reduce((sum, each) => sum + each.sites, 0);
  if (count === 0) return nothing;
  const unnamed = counts.map(({ reason, sites: all }) => ({ reason, left: all - sites.filter((site) => site.reason === reason).length }));
  return html`<details class="not-offered" part="not-offered">
    <summary>${say("notOffered", { count })}</summary>
    <ul>
      ${sites.map(({ siteId, name, distanceM, reason }) => html`<li class="count" tabindex="-1" data-left-out=${siteId}><span>${name} <span class="quiet">${say.distance(distanceM)}</span></span><span>${why(say, reason)}</span></li>`)}
      ${unnamed.filter(({ left }) => left > 0).map(({ reason, left }) => html`<li class="count"><span>${why(say, reason)}</span><span>${say.number(left)}</span></li>`)}
    </ul>
  </details>`;
}

/** Shows why a site is not offered: opens the list, and leads to its row. */
export function showWhy(root: ShadowRoot, siteId: string): void {
  const row = root.querySelector<HTMLElement>(`[data-left-out="${CSS.escape(siteId)}"]`);
  row?.closest("details")?.setAttribute("open", "");
  row?.focus();
}
