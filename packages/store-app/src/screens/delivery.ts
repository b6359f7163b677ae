import { Condition, Direction, RefusalReason } from "@petak/protocol/counter";
import { icon, notice, rows } from "@petak/ui";
import { html, nothing, type TemplateResult } from "lit";
import type { App } from "../app/app.ts";
import {
  agreeCount,
  changeDelivery,
  closeDelivery,
  countMoved,
  type ListedParcel,
  listed,
  sayOfParcel,
  scanForDelivery,
  unscan,
} from "../app/delivery.ts";
import type { DeliveryDraft } from "../app/draft.ts";
import { shrinkPhoto } from "../scan/photo.ts";
import type { PlainKey } from "../words/english.ts";
import { frame, go } from "./frame.ts";
import { qrPicture } from "./qr-picture.ts";
import { refusalWords } from "./refusals.ts";
import { scanPanel } from "./scan-panel.ts";

const reasonWords: readonly (readonly [RefusalReason, PlainKey])[] = [
  [RefusalReason.DAMAGED, "tooDamaged"],
  [RefusalReason.TOO_LARGE, "tooLarge"],
  [RefusalReason.NO_SPACE, "noSpace"],
  [RefusalReason.NOT_ANNOUNCED, "notAnnounced"],
  [RefusalReason.NOT_ALLOWED, "notAllowed"],
];

/** A courier brings parcels, or fetches some. */
export function deliveryScreen(app: App): TemplateResult {
  const draft = app.draft.delivery;
  if (draft === undefined) return frame(app, { title: app.say("accept"), back: "today", content: nothing });
  const title = app.say(draft.direction === Direction.OUT ? "giveTitle" : "acceptTitle");
  const list = listed(app, draft);
  const open = list.find(({ parcel }) => parcel.label === draft.openLabel);
  const refusal =
    draft.refusal === undefined
      ? nothing
      : notice(
          "error",
          html`${app.say(refusalWords(draft.refusal))} <strong>${(draft.otherSiteNames ?? []).join(", ")}</strong> ${draft.lastLabel ?? ""}`,
        );
  if (open !== undefined && draft.step === "scan") return frame(app, { title, back: "today", content: parcelFacts(app, draft, open) });
  switch (draft.step) {
    case "scan":
      return scanStep(app, title, draft, list, refusal);
    case "agree":
      return agreeStep(app, title, draft, list);
    case "sign":
      return signStep(app, title, draft, refusal);
    case "closed":
      return closedStep(app, title, draft, list);
  }
}

function scanStep(app: App, title: string, draft: DeliveryDraft, list: readonly ListedParcel[], refusal: unknown): TemplateResult {
  const { say } = app;
  const { deliveryId } = draft;
  const last = list.find(({ parcel }) => parcel.label === draft.lastLabel)?.parcel;
  const content = html`<div class="split">
    <div class="stack">
      ${scanPanel(app, { prompt: say("scanEach"), next: { of: "delivery", deliveryId }, onCode: (code) => scanForDelivery(app, code) })}
      ${refusal}
      ${
        last === undefined || draft.refusal !== undefined || last.condition === Condition.REFUSED
          ? nothing
          : html`<div class="place is-small" role="status"><p class="quiet">${say(draft.direction === Direction.IN ? "putOn" : "takeFrom")}</p><p class="place-code">${last.shelfPlace === "" ? "…" : last.shelfPlace}</p></div>`
      }
    </div>
    <div class="stack">
      <p class="count" role="status"><strong>${say("parcels", { count: countMoved(list) })}</strong>${
        draft.delivery === undefined || draft.delivery.notScanned === 0
          ? nothing
          : html` <span class="quiet">· ${say("notScanned", { count: draft.delivery.notScanned })}</span>`
      }</p>
      ${rows(list.map((one) => ({ what: parcelWords(app, one), value: one.parcel.shelfPlace, onPress: () => changeDelivery(app, { openLabel: one.parcel.label }) })))}
    </div>
  </div>`;
  const action = html`<button class="button primary" type="button" ?disabled=${list.length === 0} @click=${() => changeDelivery(app, { step: "agree" })}>${say("agreeCount")}</button>`;
  return frame(app, { title, back: "today", content, action });
}

/** A label, with what is not as usual. */
function parcelWords({ say }: App, { parcel, isWaiting }: ListedParcel): TemplateResult {
  const { label, condition, photoId } = parcel;
  return html`<span class="label-code">${label}</span>${condition === Condition.DAMAGED ? html` <span class="badge">${say("damaged")}</span>` : nothing}${
    condition === Condition.REFUSED ? html` <span class="badge">${say("refuse")}</span>` : nothing
  }${photoId === "" ? nothing : html` ${icon("camera", 18)}`}${isWaiting ? html` <small class="quiet">${say("waits")}</small>` : nothing}`;
}

/** What can be said of one parcel of the list. */
function parcelFacts(app: App, draft: DeliveryDraft, { parcel }: ListedParcel): TemplateResult {
  const { say } = app;
  const { label, condition, refusalReason, photoId } = parcel;
  const choose = (words: PlainKey, isChosen: boolean, facts: { condition: Condition; refusalReason?: RefusalReason }): TemplateResult =>
    html`<button class="tick" type="button" role="radio" aria-checked=${isChosen} @click=${() => sayOfParcel(app, { label, ...facts })}><span>${say(words)}</span>${isChosen ? icon("done") : html`<span class="tick-box"></span>`}</button>`;
  const onPhoto = async ({ target }: Event): Promise<void> => {
    const [file] = (target as HTMLInputElement).files ?? [];
    const jpeg = file === undefined ? undefined : await shrinkPhoto(file).catch(() => undefined);
    if (jpeg !== undefined) await sayOfParcel(app, { label, photoId: await app.keepPhoto(jpeg) });
  };
  const isIn = draft.direction === Direction.IN;
  return html`<div class="stack narrow">
    <h2 class="label-code">${label}</h2>
    <div class="stack" role="radiogroup" aria-label=${label}>
      ${choose("good", condition === Condition.GOOD, { condition: Condition.GOOD })}
      ${isIn ? choose("damaged", condition === Condition.DAMAGED, { condition: Condition.DAMAGED }) : nothing}
      ${
        isIn
          ? html`<h2>${say("whyRefuse")}</h2>${reasonWords.map(([reason, words]) =>
              choose(words, condition === Condition.REFUSED && refusalReason === reason, {
                condition: Condition.REFUSED,
                refusalReason: reason,
              }),
            )}`
          : nothing
      }
    </div>
    ${isIn ? html`<label class="button">${icon("camera")}${say(photoId === "" ? "takePhoto" : "photoKept")}<input class="for-readers" type="file" accept="image/*" capture="environment" @change=${onPhoto} /></label>` : nothing}
    <button class="button danger" type="button" @click=${() => unscan(app, label)}>${say("byMistake")}</button>
    <button class="button primary" type="button" @click=${() => changeDelivery(app, { openLabel: undefined })}>${say("done")}</button>
  </div>`;
}

function agreeStep(app: App, title: string, { delivery }: DeliveryDraft, list: readonly ListedParcel[]): TemplateResult {
  const { say } = app;
  const count = countMoved(list);
  const refused = list.length - count;
  const content = html`<div class="stack narrow">
    <div class="place"><p class="quiet">${say("countTogether")}</p><p class="place-code">${count}</p>
      ${refused === 0 ? nothing : html`<p class="quiet">${say("refuse")}: ${refused}</p>`}
      ${delivery === undefined || delivery.notScanned === 0 ? nothing : html`<p class="quiet">${say("notScanned", { count: delivery.notScanned })}</p>`}</div>
    <button class="button" type="button" @click=${() => changeDelivery(app, { step: "scan" })}>${say("countAgain")}</button>
  </div>`;
  const action = html`<button class="button primary" type="button" @click=${() => agreeCount(app)}>${say("bothHave", { count })}</button>`;
  return frame(app, { title, back: "today", content, action });
}

function signStep(app: App, title: string, { delivery }: DeliveryDraft, refusal: unknown): TemplateResult {
  const { say } = app;
  const code = delivery?.storeCode ?? "";
  const content = html`<div class="split">
    <div class="stack">${
      code === ""
        ? notice("attention", say("signedLater"))
        : html`<h2>${say("courierScans")}</h2>${qrPicture(code, say("storeCode"))}<p class="quiet center">${say("listEnds", { ending: delivery?.listHash.slice(-6) ?? "" })}</p>`
    }</div>
    <div class="stack">
      ${refusal}
      ${scanPanel(app, { prompt: say("scanCourier"), next: { of: "courier" }, onCode: (text) => scanForDelivery(app, text) })}
      <button class="button" type="button" @click=${() => closeDelivery(app, "")}>${say("withoutCode")}</button>
    </div>
  </div>`;
  return frame(app, { title, back: "today", content });
}

function closedStep(app: App, title: string, { delivery }: DeliveryDraft, list: readonly ListedParcel[]): TemplateResult {
  const { say } = app;
  const isSigned = delivery?.isSigned === true;
  const leave = (): void => {
    app.setDraft({ delivery: undefined });
    go("today");
  };
  const content = html`<div class="stack narrow">
    <div class="outcome" role="status">${icon(isSigned ? "done" : "fact", isSigned ? 72 : 56)}<h2>${say(isSigned ? "signed" : "notSigned")}</h2>
      <p>${say("parcels", { count: countMoved(list) })}</p>
      ${delivery?.listHash ? html`<p class="quiet">${say("listEnds", { ending: delivery.listHash.slice(-6) })}</p>` : nothing}</div>
  </div>`;
  return frame(app, {
    title,
    back: "today",
    content,
    action: html`<button class="button primary" type="button" @click=${leave}>${say("done")}</button>`,
  });
}
