import { mark, notice, skeleton } from "@petak/ui";
import { html, type TemplateResult } from "lit";
import type { App } from "../app/app.ts";
import { capacityScreen } from "./capacity.ts";
import { deliveryScreen } from "./delivery.ts";
import { handOverScreen } from "./hand-over.ts";
import { languageMenu, languagesScreen } from "./languages.ts";
import { helpScreen, menuScreen, monthScreen, type PracticeSwitch } from "./menu.ts";
import { parcelScreen, shelfScreen } from "./shelf.ts";
import { shiftScreen } from "./shift.ts";
import { signInScreen } from "./sign-in.ts";
import { todayScreen } from "./today.ts";

/** The screen that the app is on. */
export function view(app: App, practice: PracticeSwitch): TemplateResult {
  const { counter, route } = app;
  if (counter === undefined) return waitForAgent(app, practice);
  if (counter.clerk === undefined) return signInScreen(app, counter, practice.begin);
  switch (route.name) {
    case "today":
      return todayScreen(app);
    case "hand-over":
      return handOverScreen(app, "handOver");
    case "take-in":
      return handOverScreen(app, "takeIn");
    case "delivery":
      return deliveryScreen(app);
    case "shelf":
      return shelfScreen(app);
    case "parcel":
      return parcelScreen(app);
    case "capacity":
      return capacityScreen(app);
    case "shift":
      return shiftScreen(app);
    case "month":
      return monthScreen(app);
    case "menu":
      return menuScreen(app, practice);
    case "languages":
      return languagesScreen(app);
    case "help":
      return helpScreen(app);
  }
}

function waitForAgent(app: App, practice: PracticeSwitch): TemplateResult {
  const { say } = app;
  const isLost = app.isReachable === false;
  return html`<main class="waiting"><div class="stack narrow">
    <div class="empty">${mark(72, !isLost)}<h1 tabindex="-1">${say("loading")}</h1></div>
    ${isLost ? html`${notice("attention", say("agentUnreachable"))}<button class="button" type="button" @click=${practice.begin}>${say("practise")}</button>${languageMenu(app)}` : skeleton(3)}
  </div></main>`;
}
