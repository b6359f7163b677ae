import { icon } from "@petak/ui";
import { html, nothing, type TemplateResult } from "lit";
import { allFilters, type Filter } from "../settings/filters.ts";
import type { WordKey } from "../words/english.ts";
import type { View } from "./view.ts";

const filterWords = {
  "open-now": "openNow",
  "step-free": "stepFree",
  "low-compartment": "lowCompartment",
  terminal: "terminals",
  store: "stores",
} as const satisfies Record<Filter, WordKey>;

/** The filters that stand on a telephone too; the others are one tap away, unless they are on. */
const often: readonly Filter[] = ["open-now", "step-free"];

/** Where the shopper is, and what is to be shown. */
export function head(view: View): TemplateResult {
  const { model, say } = view;
  const { filters, openAtMinute, addresses, areFiltersOpen } = model.state;
  const chips = allFilters.map((filter) => {
    const isOn = filters.has(filter);
    return chip(say(filterWords[filter]), isOn, !isOn && !often.includes(filter), () => model.toggle(filter));
  });
  const openAt = html`<label class="chip time ${openAtMinute === undefined ? "rare" : "is-on"}">
    ${say("openAt")} <input class="hour" type="time" .value=${openAtMinute === undefined ? "" : timeOf(openAtMinute)} @change=${({ target }: Event) => model.openAt(minuteOf((target as HTMLInputElement).value))} />
  </label>`;
  const answers = html`<div>
    <p id="which">${say("whichOne")}</p>
    <ul class="answers" aria-labelledby="which">
      ${addresses.map((address) => html`<li><button class="row" type="button" @click=${() => model.goTo(address, address.label)}>${address.label}</button></li>`)}
    </ul>
  </div>`;
  return html`<div class="head" part="head">
    ${finder(view)}
    <fieldset class="chips ${areFiltersOpen ? "is-open" : ""}">
      <legend class="for-readers">${say("showOnly")}</legend>${chips[0]}${openAt}${chips.slice(1)}${operatorChips(view)}
      ${areFiltersOpen ? nothing : html`<button class="chip opener" type="button" @click=${model.openFilters}>${say("moreFilters")}</button>`}
    </fieldset>
    ${addresses.length > 0 ? answers : nothing}
  </div>`;
}

/** @param isRare not shown where there is little room, unless all filters are */
const chip = (words: string, isOn: boolean, isRare: boolean, press: () => void): TemplateResult =>
  html`<button class="chip ${isRare ? "rare" : ""}" type="button" aria-pressed=${isOn} @click=${press}>${words}</button>`;

/** The operators near the shopper, where there is more than one to choose from. */
function operatorChips({ model }: View): readonly TemplateResult[] {
  const { operators, operatorIds } = model.state;
  if (operators.size < 2 && operatorIds.size === 0) return [];
  const byName = [...operators].sort(([, one], [, other]) => one.localeCompare(other));
  return byName.map(([operatorId, name]) => {
    const isOn = operatorIds.has(operatorId);
    return chip(name, isOn, !isOn, () => model.toggleOperator(operatorId));
  });
}

/** A time of day as a field of times has it, e.g. `18:30`. */
const timeOf = (minute: number): string => [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, "0")).join(":");

/** The minutes after midnight of a field of times. Undefined: it is empty. */
function minuteOf(value: string): number | undefined {
  const [hour = Number.NaN, minute = Number.NaN] = value.split(":").map(Number);
  return value === "" ? undefined : hour * 60 + minute;
}

/** The address field stands only where the shop can look addresses up. It is no form: there may be one around the picker. */
function finder({ model, say, hasResolver, isDisabled }: View): TemplateResult {
  const { typed, isLocating } = model.state;
  const locate = (): void => void model.locate();
  if (!hasResolver) {
    return html`<div class="finder">
      <span>${say("where")}</span>
      <div class="finder-row"><button class="button wide" type="button" ?disabled=${isDisabled || isLocating} @click=${locate}>${target} ${say("useMyLocation")}</button></div>
    </div>`;
  }
  const find = (event: Event): void => {
    const field = (event.currentTarget as Element).closest(".finder")?.querySelector("input");
    void model.findAddress(field?.value ?? "");
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || event.isComposing) return;
    // Enter would send the form around the picker.
    event.preventDefault();
    find(event);
  };
  return html`<div class="finder">
    <label for="address">${say("where")}</label>
    <div class="finder-row">
      <input id="address" type="search" autocomplete="street-address" enterkeyhint="search" placeholder=${say("address")} .value=${typed} ?disabled=${isDisabled} @keydown=${onKey} />
      <button class="button square" type="button" ?disabled=${isDisabled} aria-label=${say("find")} title=${say("find")} @click=${find}>${icon("search", 20)}</button>
      <button class="button square" type="button" ?disabled=${isDisabled || isLocating} aria-label=${say("useMyLocation")} title=${say("useMyLocation")} @click=${locate}>${target}</button>
    </div>
  </div>`;
}

const target = html`<svg width="20" height="20" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" aria-hidden="true">
  <circle cx="12" cy="12" r="7" /><circle cx="12" cy="12" r="1.5" fill="currentColor" /><path d="M12 2v3M12 19v3M2 12h3M19 12h3" />
</svg>`;
