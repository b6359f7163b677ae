import { icon, pill } from "@petak/ui";
import { html, nothing, type TemplateResult } from "lit";
import type { App } from "../app/app.ts";
import { type ScreenName, writeRoute } from "../app/route.ts";

/** What stands around a screen. */
export interface Frame {
  readonly title: string;
  /** The way back. Undefined: the screen has a bar with all first screens below it. */
  readonly back?: ScreenName;
  readonly content: unknown;
  /** What is always in view at the thumb. */
  readonly action?: unknown;
}

/** Goes to a screen. */
export function go(name: ScreenName, id = ""): void {
  location.hash = writeRoute({ name, id });
}

/** The line's state, in a word and a number. */
function linkPill({ say, isReachable, waiting, counter }: App): TemplateResult {
  if (isReachable === false) return pill("attention", waiting === 0 ? say("offline") : say("offlineWaiting", { count: waiting }));
  if (waiting > 0) return pill("attention", say("waitingToSend", { count: waiting }));
  return counter?.link?.isOnline === false ? pill("off", say("networkDown")) : pill("primary", say("online"));
}

function bar(app: App): TemplateResult {
  const { say, route } = app;
  const tabs: readonly (readonly [ScreenName, string])[] = [
    ["today", say("today")],
    ["shelf", say("shelf")],
    ["capacity", say("capacity")],
    ["menu", app.counter?.clerk?.name ?? say("menu")],
  ];
  return html`<nav class="bar">${tabs.map(
    ([name, words]) => html`<a href=${writeRoute({ name, id: "" })} aria-current=${name === route.name ? "page" : nothing}>${words}</a>`,
  )}</nav>`;
}

/** A screen with its head, and its action or the bar below. */
export function frame(app: App, { title, back, content, action }: Frame): TemplateResult {
  return html`<header class="head">
      ${back === undefined ? nothing : html`<a class="head-back" href=${writeRoute({ name: back, id: "" })} aria-label=${app.say("back")}>${icon("back", 28)}</a>`}
      <h1 tabindex="-1">${title}</h1>
      <span class="head-pills" role="status">${app.port.isPractice ? pill("attention", app.say("practice")) : linkPill(app)}</span>
    </header>
    <main tabindex="0">${app.problem === undefined ? nothing : html`<p class="notice error" role="alert">${app.say("somethingFailed", { reason: app.problem })}</p>`}${content}</main>
    ${action === undefined ? nothing : html`<div class="action">${action}</div>`}
    ${back === undefined ? bar(app) : nothing}`;
}
