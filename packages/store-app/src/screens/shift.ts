import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { ShiftCount } from "@petak/protocol/counter";
import { icon, notice, rows } from "@petak/ui";
import { html, nothing, type TemplateResult } from "lit";
import type { App } from "../app/app.ts";
import { newShift, type ShiftDraft } from "../app/draft.ts";
import { beginShift, changeShift, countLabel, endShift } from "../app/shift.ts";
import { frame, go } from "./frame.ts";
import { scanPanel } from "./scan-panel.ts";

/** A clerk's shift: its begin, and at its end a count before the screen says what should be there. */
export function shiftScreen(app: App): TemplateResult {
  const { say, counter } = app;
  const draft = app.draft.shift ?? newShift;
  if (draft.result !== undefined) return resultStep(app, draft.result);
  const beganAt = counter?.shift?.beganAt;
  if (beganAt === undefined) {
    const action = html`<button class="button primary" type="button" @click=${() => beginShift(app)}>${say("beginShift")}</button>`;
    return frame(app, { title: say("shift"), back: "menu", content: html`<p class="narrow">${say("noShift")}</p>`, action });
  }
  return countStep(app, draft, timestampMs(beganAt));
}

function countStep(app: App, draft: ShiftDraft, beganAtMs: number): TemplateResult {
  const { say } = app;
  const { isByScanning, labels } = draft;
  const currency = app.counter?.shift?.cash[0]?.currencyCode;
  const way = (words: "byNumber" | "byScanning", isScan: boolean): TemplateResult =>
    html`<button class="button ${isScan === isByScanning ? "primary" : ""}" type="button" aria-pressed=${isScan === isByScanning} @click=${() => changeShift(app, { isByScanning: isScan })}>${say(words)}</button>`;
  const finish = async (): Promise<void> => app.setView({ isBadNumber: !(await endShift(app)) });
  const content = html`<div class="split">
    <div class="stack">
      <p class="quiet">${say("shiftSince", { time: say.time(beganAtMs, app.nowMs()) })}</p>
      <h2>${say("countShelf")}</h2><p class="quiet">${say("countBlind")}</p>
      <div class="pair">${way("byScanning", true)}${way("byNumber", false)}</div>
      ${
        isByScanning
          ? html`<p class="count" role="status"><strong>${say("parcels", { count: labels.length })}</strong></p>${scanPanel(app, { prompt: say("scanEach"), next: { of: "shelf" }, onCode: (code) => countLabel(app, code) })}`
          : html`<label class="field"><span>${say("countShelf")}</span><input inputmode="numeric" autocomplete="off" .value=${draft.counted} @input=${({ target }: InputEvent) => changeShift(app, { counted: (target as HTMLInputElement).value })} /></label>`
      }
    </div>
    <div class="stack">
      ${currency === undefined ? nothing : html`<label class="field"><span>${say("cashCounted")} (${currency})</span><input inputmode="decimal" autocomplete="off" .value=${draft.cash} @input=${({ target }: InputEvent) => changeShift(app, { cash: (target as HTMLInputElement).value })} /></label>`}
      ${app.view.isBadNumber === true ? notice("error", say("badNumber")) : nothing}
      ${app.isReachable === false ? notice("attention", say("shiftOffline")) : nothing}
      ${isByScanning ? rows([...labels].reverse().map((label) => ({ what: html`<span class="label-code">${label}</span>` }))) : nothing}
    </div>
  </div>`;
  const action = html`<button class="button primary" type="button" ?disabled=${app.isReachable === false} @click=${finish}>${say("endShift")}</button>`;
  return frame(app, { title: say("shift"), back: "menu", content, action });
}

function resultStep(app: App, { missing, surplus, expected, counted, cashExpected }: ShiftCount): TemplateResult {
  const { say } = app;
  const { cash } = app.draft.shift ?? newShift;
  const isSame = missing.length === 0 && surplus.length === 0 && expected === counted;
  const labelOf = (id: string): string => {
    const parcel = app.parcels.find(({ reservationId }) => reservationId === id);
    return parcel === undefined ? id : `${parcel.shelfPlace} · ${parcel.labelCodes[0] ?? id}`;
  };
  const leave = (): void => {
    app.setDraft({ shift: undefined });
    go("menu");
  };
  const content = html`<div class="stack narrow">
    <div class="outcome" role="status">${icon(isSame ? "done" : "problem", 56)}<h2>${say(isSame ? "countMatches" : "countDiffers")}</h2></div>
    ${rows([
      { what: say("onShelf"), value: say("countedOf", { counted, expected }) },
      ...cashExpected.map((money) => ({
        what: say("cashCounted"),
        value: say("countedOf", { counted: cash === "" ? "0" : cash, expected: say.money(money) }),
      })),
    ])}
    ${missing.length === 0 ? nothing : html`<h2>${say("missingParcels", { count: missing.length })}</h2>${rows(missing.map((id) => ({ what: labelOf(id) })))}`}
    ${surplus.length === 0 ? nothing : html`<h2>${say("surplusParcels", { count: surplus.length })}</h2>${rows(surplus.map((label) => ({ what: html`<span class="label-code">${label}</span>` })))}`}
  </div>`;
  return frame(app, {
    title: say("shift"),
    back: "menu",
    content,
    action: html`<button class="button primary" type="button" @click=${leave}>${say("done")}</button>`,
  });
}
