import { mark, notice } from "@petak/ui";
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { maxLimit } from "../model/state.ts";
import { notOffered } from "./left-out.ts";
import { place } from "./place.ts";
import { problemWords } from "./problems.ts";
import type { View } from "./view.ts";

/** After how long a search says how long it has taken, in ms. */
const longSearchMs = 2000;

/** The list: the truth, whatever the map does. */
export function places(view: View): TemplateResult {
  const { model, say } = view;
  const { offers, problem, point, searchingSinceMs } = model.state;
  const content = () => {
    if (problem !== undefined) return problemOf(view);
    if (offers !== undefined) return offers.length === 0 ? nothingFound(view) : list(view);
    if (searchingSinceMs !== undefined) return coming(view, searchingSinceMs);
    return point === undefined ? html`<div class="empty">${mark(40)}<p>${say("sayWhere")}</p></div>` : nothing;
  };
  return html`<div class="places" part="places" tabindex="-1">${content()}</div>`;
}

function list(view: View): TemplateResult {
  const { model, say } = view;
  const { offers = [], limit, searchingSinceMs } = model.state;
  const mayHaveMore = offers.length >= limit && limit < maxLimit;
  return html`<div role="radiogroup" aria-label=${say("places")} aria-busy=${searchingSinceMs !== undefined}>
      ${repeat(
        offers,
        ({ siteId }) => siteId,
        (offer, index) => place(view, offer, index),
      )}
    </div>
    ${mayHaveMore ? html`<div class="under"><button class="button" type="button" @click=${model.showMore}>${say("showMore")}</button></div>` : nothing}
    ${notOffered(view)}`;
}

function nothingFound(view: View): TemplateResult {
  const { model, say } = view;
  const { filters, operatorIds, openAtMinute } = model.state;
  const isFiltered = filters.size > 0 || operatorIds.size > 0 || openAtMinute !== undefined;
  return html`<div class="empty">
      ${mark(40)}
      <p>${say(isFiltered ? "noneMatch" : "noneFound")}</p>
      ${isFiltered ? html`<button class="button" type="button" @click=${model.showAll}>${say("showAll")}</button>` : nothing}
    </div>
    ${notOffered(view)}`;
}

/** The room of the rows that are on their way, so that nothing jumps when they come. */
function coming({ model, say, nowMs }: View, sinceMs: number): TemplateResult {
  const soFarMs = nowMs - model.state.clockAheadMs - sinceMs;
  const row = html`<div class="coming"><span></span><span></span><span></span><span></span><span></span></div>`;
  return html`${soFarMs < longSearchMs ? nothing : html`<p class="under quiet">${say("stillLooking", { duration: say.duration(soFarMs / 1000) })}</p>`}
    <div aria-hidden="true">${row}${row}${row}</div>`;
}

function problemOf(view: View): TemplateResult {
  const { model, say } = view;
  const { problem, offers } = model.state;
  if (problem === undefined) return html``;
  const button = html`<button class="button" type="button" @click=${model.tryAgain}>${say("tryAgain")}</button>`;
  const isOld = problem.isPassing && offers !== undefined && offers.length > 0;
  const words = say(isOld ? "outdated" : problemWords(problem));
  return html`<div class="under">${notice(isOld ? "attention" : "error", words)}${problem.isPassing ? button : nothing}</div>${isOld ? list(view) : nothing}`;
}
