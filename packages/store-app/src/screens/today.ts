import { Direction, type Takes } from "@petak/protocol/counter";
import { icon, notice, rows } from "@petak/ui";
import { html, nothing, type TemplateResult } from "lit";
import type { App } from "../app/app.ts";
import { beginDelivery, leftDelivery } from "../app/delivery.ts";
import { newHandOver } from "../app/draft.ts";
import { frame, go } from "./frame.ts";
import { leaseNotice } from "./lease.ts";
import { refusalWords } from "./refusals.ts";

/** How many more of each size, as on the capacity screen. */
export function takesWords(takes: readonly Takes[]): string {
  return takes.map(({ sizeClassId, more }) => `${sizeClassId} ${more}`).join(" · ");
}

/** Begins a hand-over or take-in; what was under way stays if its parcel is not settled. */
function startHandOver(app: App, name: "hand-over" | "take-in"): void {
  const { handOver } = app.draft;
  if (handOver?.handOver === undefined || handOver.outcome !== undefined) app.setDraft({ handOver: newHandOver });
  go(name);
}

function startDelivery(app: App, direction: Direction): void {
  const { delivery } = app.draft;
  if (delivery === undefined || delivery.step === "closed" || delivery.direction !== direction) void beginDelivery(app, direction);
  go("delivery");
}

/** Brings back what was under way when this tablet lost it. */
function underWay(app: App): TemplateResult | typeof nothing {
  const { say, draft, counter, tabletId } = app;
  const handOver = draft.handOver?.outcome === undefined ? draft.handOver?.handOver : undefined;
  const lost = counter?.handOvers.find((one) => one.tabletId === tabletId);
  const shown = handOver ?? lost;
  const delivery = draft.delivery?.step === "closed" ? undefined : draft.delivery;
  const left = delivery ?? (counter && leftDelivery(counter, tabletId, app.nowMs()));
  if (shown === undefined && left === undefined) return nothing;
  const openHandOver = (): void => {
    if (handOver === undefined) app.setDraft({ handOver: { ...newHandOver, handOver: shown } });
    go("hand-over");
  };
  const openDelivery = (): void => {
    if (left === undefined) return;
    if (delivery === undefined) {
      const known = counter?.deliveries.find((one) => one.deliveryId === left.deliveryId);
      const step = known?.storeCode ? "sign" : "scan";
      app.setDraft({ delivery: { deliveryId: left.deliveryId, direction: left.direction, step, delivery: known, unanswered: [] } });
    }
    go("delivery");
  };
  return rows([
    ...(shown === undefined ? [] : [{ what: `${say("underWay")}: ${say("handOver")}`, value: shown.shelfPlace, onPress: openHandOver }]),
    ...(left === undefined
      ? []
      : [
          {
            what: `${say("underWay")}: ${say(left.direction === Direction.OUT ? "giveTitle" : "acceptTitle")}`,
            value: "›",
            onPress: openDelivery,
          },
        ]),
  ]);
}

function notTaken(app: App): TemplateResult | typeof nothing {
  const { say } = app;
  if (app.notTaken.length === 0) return nothing;
  return notice(
    "error",
    html`<strong>${say("notTaken", { count: app.notTaken.length })}</strong>
      ${app.notTaken.map(({ refusal, atMs }) => html`<p>${say.time(atMs, app.nowMs())} · ${say(refusalWords(refusal))}</p>`)}
      <button class="button" type="button" @click=${() => app.dismissNotTaken()}>${say("dismiss")}</button>`,
  );
}

/** The first screen: what a clerk does all day, and what the store holds. */
export function todayScreen(app: App): TemplateResult {
  const { say, counter } = app;
  if (counter === undefined) return html``;
  const overdue = counter.forCourier === 0 ? "0" : html`<span class="badge">${counter.forCourier}</span>`;
  const content = html`<div class="split">
    <div class="tiles">
      <button class="tile primary wide" type="button" @click=${() => startHandOver(app, "hand-over")}>${icon("scan", 40)}<span>${say("handOver")}</span></button>
      <button class="tile" type="button" @click=${() => startDelivery(app, Direction.IN)}>${icon("accept", 36)}<span>${say("accept")}</span></button>
      <button class="tile" type="button" @click=${() => startHandOver(app, "take-in")}>${icon("return", 36)}<span>${say("takeIn")}</span></button>
    </div>
    <div class="stack">
      ${app.port.isPractice ? notice("attention", say("practiceNotice")) : nothing}${leaseNotice(app)}${underWay(app)}${notTaken(app)}
      ${rows([
        { what: say("onShelf"), value: counter.onShelf, onPress: () => go("shelf") },
        { what: say("forCourier"), value: overdue, onPress: () => startDelivery(app, Direction.OUT) },
        { what: say("expected"), value: counter.expected },
        { what: say("weCanTake"), value: counter.intakePaused ? say("paused") : takesWords(counter.takes), onPress: () => go("capacity") },
      ])}
    </div>
  </div>`;
  return frame(app, { title: counter.name, content });
}
