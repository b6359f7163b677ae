import { notice } from "@petak/ui";
import { html, type TemplateResult } from "lit";
import { bar, chosen, notices } from "./choice.ts";
import { head } from "./finder.ts";
import { places } from "./places.ts";
import type { View } from "./view.ts";

/** The whole picker: the choice that was made, or the way to it. */
export function pickerView(view: View): TemplateResult {
  const { model, say, hasMap } = view;
  const { choice, isChanging, point } = model.state;
  const isChosen = choice !== undefined && !isChanging;
  const body = () => html`${head(view)}${notices(view)}
    <div class="body ${hasMap && point !== undefined ? "has-map" : ""}">
      <div class="map" part="map" ?hidden=${!hasMap || point === undefined}></div>
      ${places(view)}
    </div>
    ${bar(view)}`;
  return html`<div class="picker" part="picker" lang=${say.tag}>
    ${isChosen ? html`${notices(view)}${chosen(view)}` : body()}
    <p class="for-readers" role="status">${spoken(view)}</p>
  </div>`;
}

/** What a screen reader says when it changes. */
function spoken({ model, say }: View): string {
  const { offers, searchingSinceMs, choice, isChanging } = model.state;
  if (choice !== undefined && !isChanging) return "";
  if (searchingSinceMs !== undefined) return say("looking");
  return offers === undefined ? "" : say("found", { count: offers.length });
}

/** A picker that the shop has set up wrongly. */
export function brokenView({ say }: Pick<View, "say">): TemplateResult {
  return html`<div class="picker" part="picker" lang=${say.tag}><div class="under">${notice("error", say("cannotBeShown"))}</div></div>`;
}
