import { Act, ParcelRequirement } from "@petak/protocol";
import { EndReason, EntryRefusal, type HandOver } from "@petak/protocol/counter";
import { icon, notice } from "@petak/ui";
import { html, nothing, type TemplateResult } from "lit";
import type { App } from "../app/app.ts";
import { type HandOverDraft, type HandOverOutcome, newHandOver } from "../app/draft.ts";
import { endHandOver, isReadyToMove, scanForHandOver, tick, tickCash, ticksOf } from "../app/hand-over.ts";
import type { PlainKey } from "../words/english.ts";
import { frame, go } from "./frame.ts";
import { isLeaseAway, leaseNotice } from "./lease.ts";
import { refusalWords } from "./refusals.ts";
import { scanPanel } from "./scan-panel.ts";

const checkWords: Partial<Record<ParcelRequirement, PlainKey>> = {
  [ParcelRequirement.AGE_CHECK]: "checkAge",
  [ParcelRequirement.ID_CHECK]: "checkIdentity",
  [ParcelRequirement.PERSONAL_COLLECTION]: "checkPerson",
  [ParcelRequirement.DANGEROUS_GOODS]: "checkDangerous",
};

const outcomeWords: Readonly<Record<HandOverOutcome, PlainKey>> = {
  "handed-over": "handedOver",
  "taken-in": "takenIn",
  ended: "ended",
  missing: "foundLater",
  "sent-later": "sentLater",
};

/** Hands a parcel to a person, or takes one in: the code says which. */
export function handOverScreen(app: App, title: PlainKey): TemplateResult {
  const draft = app.draft.handOver ?? newHandOver;
  const { handOver, outcome } = draft;
  if (outcome !== undefined) return ended(app, title, draft, outcome);
  if (handOver === undefined) return frame(app, { title: app.say(title), back: "today", content: waitForCode(app, draft) });
  if (draft.isEnding === true) return chooseEnd(app, title, handOver);
  const isTakeIn = handOver.act === Act.DEPOSIT;
  const content = html`<div class="split">
    <div class="stack">
      <div class="place" role="status">
        <p class="quiet">${app.say(isTakeIn ? "putOn" : "takeFrom")}</p>
        <p class="place-code">${handOver.shelfPlace}</p>
        <p class="quiet">${handOver.labelEnding === "" ? nothing : html`${app.say("parcelEnds", { ending: `…${handOver.labelEnding}` })} · `}${app.say("numberOf", { number: handOver.number, of: handOver.of })}</p>
      </div>
      ${draft.refusal === undefined ? nothing : notice("error", app.say(refusalWords(draft.refusal)))}
      ${ticks(app, draft, handOver)}
    </div>
    <div class="stack">
      ${isReadyToMove(draft) ? scanParcel(app, handOver) : html`<p class="quiet">${app.say("ticksFirst")}</p>`}
      <div class="pair">
        ${isTakeIn ? nothing : html`<button class="button" type="button" @click=${() => endHandOver(app, EndReason.CANNOT_FIND)}>${app.say("cannotFind")}</button>`}
        <button class="button" type="button" @click=${() => app.setDraft({ handOver: { ...draft, isEnding: true } })}>${app.say("otherEnd")}</button>
      </div>
    </div>
  </div>`;
  return frame(app, { title: app.say(isTakeIn ? "takeIn" : "handOver"), back: "today", content });
}

function waitForCode(app: App, { refusal, needsAgent, isCutOff }: HandOverDraft): TemplateResult {
  const { say } = app;
  // It stands until the next scan, also once the agent can be reached.
  const isUnjudged = isCutOff === true && app.isReachable !== false && refusal === undefined && needsAgent === undefined;
  const isSaidBelow = refusal === EntryRefusal.LEASE_AWAY && isLeaseAway(app);
  return html`<div class="stack narrow">
    ${refusal === undefined || isSaidBelow ? nothing : notice("error", say(refusalWords(refusal)))}
    ${needsAgent === undefined ? nothing : notice("error", say(needsAgent === "PIN" ? "alonePin" : "aloneNeedsAgent"))}
    ${isUnjudged ? notice("attention", say("offlineNoHandOver")) : leaseNotice(app)}
    ${scanPanel(app, { prompt: say("scanCode"), next: { of: "code" }, onCode: (code) => scanForHandOver(app, code) })}
  </div>`;
}

function scanParcel(app: App, { labelEnding, handOverId }: HandOver): TemplateResult {
  const prompt = app.say(labelEnding === "" ? "scanPlace" : "scanParcel");
  return scanPanel(app, { prompt, next: { of: "parcel", handOverId }, onCode: (code) => scanForHandOver(app, code) });
}

/** What is done, what is to be ticked, and what comes next. */
function ticks(app: App, draft: HandOverDraft, handOver: HandOver): TemplateResult {
  const { say } = app;
  const box = (words: string, isChecked: boolean, onPress: () => void): TemplateResult =>
    html`<button class="tick" type="button" role="checkbox" aria-checked=${isChecked} @click=${onPress}><span>${words}</span>${isChecked ? icon("done") : html`<span class="tick-box"></span>`}</button>`;
  return html`<div class="stack">
    <div class="tick is-done"><span>${say("customersCode")}</span>${icon("done")}</div>
    ${ticksOf(handOver).map((asked) => box(say(checkWords[asked] ?? "checkPerson"), draft.checks.includes(asked), () => tick(app, asked)))}
    ${handOver.cashDue === undefined ? nothing : box(say("cashTaken", { amount: say.money(handOver.cashDue) }), draft.isCashTaken, () => tickCash(app))}
  </div>`;
}

function chooseEnd(app: App, title: PlainKey, { act }: HandOver): TemplateResult {
  const { say } = app;
  const choices: readonly (readonly [EndReason, PlainKey])[] = [
    [EndReason.NOT_NOW, "notNow"],
    [EndReason.CHECK_FAILED, "checkFailed"],
    ...(act === Act.DEPOSIT ? [] : [[EndReason.REFUSED_BY_PERSON, "refusesIt"] as const]),
  ];
  const goOn = (): void => {
    const { handOver } = app.draft;
    if (handOver !== undefined) app.setDraft({ handOver: { ...handOver, isEnding: false } });
  };
  const content = html`<div class="stack narrow">
    <h2>${say("whyEnd")}</h2>
    ${choices.map(([reason, words]) => html`<button class="button" type="button" @click=${() => endHandOver(app, reason)}>${say(words)}</button>`)}
    <button class="button primary" type="button" @click=${goOn}>${say("cancel")}</button>
  </div>`;
  return frame(app, { title: say(title), back: "today", content });
}

function ended(app: App, title: PlainKey, draft: HandOverDraft, outcome: HandOverOutcome): TemplateResult {
  const { say } = app;
  const isGood = outcome === "handed-over" || outcome === "taken-in";
  const leave = (): void => {
    app.setDraft({ handOver: undefined });
    go("today");
  };
  const content = html`<div class="stack narrow">
    <div class="outcome" role="status">${isGood ? icon("done", 72) : icon(outcome === "sent-later" ? "wait" : "fact", 56)}<h2>${say(outcomeWords[outcome])}</h2>
      ${draft.handOver === undefined ? nothing : html`<p class="quiet">${draft.handOver.shelfPlace}</p>`}</div>
    ${scanPanel(app, { prompt: say("nextCustomer"), next: { of: "code" }, onCode: (code) => scanForHandOver(app, code) })}
  </div>`;
  const action = html`<button class="button primary" type="button" @click=${leave}>${say("done")}</button>`;
  return frame(app, { title: say(title), back: "today", content, action });
}
