import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Takes } from "@petak/protocol/counter";
import { notice } from "@petak/ui";
import { html, nothing, type TemplateResult } from "lit";
import type { App } from "../app/app.ts";
import { nextTimeMs, setIntake } from "../app/intake.ts";
import { frame } from "./frame.ts";

/** How many more parcels the store takes, by size; and a pause. */
export function capacityScreen(app: App): TemplateResult {
  const { say, counter } = app;
  if (counter === undefined) return html``;
  const { takes, intakePaused, pausedUntil } = counter;
  const paused = pausedUntil === undefined ? say("paused") : say("pausedUntil", { time: say.time(timestampMs(pausedUntil), app.nowMs()) });
  const content = html`<div class="stack narrow">
    <h2>${say("howManyMore")}</h2>
    <ul class="rows">${takes.map((size) => html`<li>${sizeRow(app, size)}</li>`)}</ul>
    ${intakePaused ? notice("attention", html`${paused}. ${say("collectionsGoOn")}`) : nothing}
    ${
      intakePaused
        ? html`<button class="button primary" type="button" @click=${() => setIntake(app, { isPaused: false })}>${say("resume")}</button>`
        : html`<button class="button" type="button" @click=${() => setIntake(app, { isPaused: true })}>${say("pause")}</button>${closeEarly(app)}
            <p class="quiet">${say("collectionsGoOn")}</p>`
    }
  </div>`;
  return frame(app, { title: say("capacity"), content });
}

function sizeRow(app: App, { sizeClassId, more, free }: Takes): TemplateResult {
  const { say } = app;
  const set = (count: number): void => void setIntake(app, { more: { sizeClassId, count } });
  return html`<div class="stepper">
    <span><strong>${sizeClassId}</strong><br /><small class="quiet">${say("placesFree", { count: free })}</small></span>
    <span class="stepper-keys">
      <button class="button" type="button" aria-label=${say("oneLess", { size: sizeClassId })} ?disabled=${more === 0} @click=${() => set(more - 1)}>−</button>
      <output aria-live="polite">${more}</output>
      <button class="button" type="button" aria-label=${say("oneMore", { size: sizeClassId })} ?disabled=${more >= free} @click=${() => set(more + 1)}>+</button>
    </span>
  </div>`;
}

/** A pause that ends by itself, e.g. when the store opens tomorrow. */
function closeEarly(app: App): TemplateResult {
  const { say, view } = app;
  if (view.closeUntil === undefined) {
    return html`<button class="button" type="button" @click=${() => app.setView({ closeUntil: "08:00" })}>${say("closeEarly")}</button>`;
  }
  const submit = (event: Event): void => {
    event.preventDefault();
    const pausedUntilMs = nextTimeMs(view.closeUntil ?? "", app.nowMs(), app.counter?.timeZone ?? "");
    if (pausedUntilMs === undefined) return;
    app.setView({ closeUntil: undefined });
    void setIntake(app, { isPaused: true, pausedUntilMs });
  };
  return html`<form class="typing" @submit=${submit}><label class="field"><span>${say("reopenAt")}</span><input type="time" required .value=${view.closeUntil} @input=${({ target }: InputEvent) => app.setView({ closeUntil: (target as HTMLInputElement).value })} /></label><button class="button" type="submit">${say("closeEarly")}</button></form>`;
}
