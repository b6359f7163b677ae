import { ClerkRole } from "@petak/protocol/counter";
import { icon, rows } from "@petak/ui";
import { html, type TemplateResult } from "lit";
import type { App } from "../app/app.ts";
import { signOut } from "../app/session.ts";
import { frame, go } from "./frame.ts";

/** Where practice begins and ends. */
export interface PracticeSwitch {
  begin(): void;
  end(): void;
}

/** The clerk's own screen. */
export function menuScreen(app: App, practice: PracticeSwitch): TemplateResult {
  const { say, counter } = app;
  const isOwner = counter?.clerk?.role === ClerkRole.OWNER;
  const content = html`<div class="stack narrow">
    ${rows([
      { what: say("shift"), value: "›", onPress: () => go("shift") },
      ...(isOwner ? [{ what: say("thisMonth"), value: "›", onPress: () => go("month") }] : []),
      { what: say("language"), value: say.language.name, onPress: () => go("languages") },
      { what: say("howToHttps"), value: "›", onPress: () => go("help") },
      app.port.isPractice
        ? { what: say("leavePractice"), onPress: practice.end }
        : { what: say("practise"), value: "›", onPress: practice.begin },
    ])}
    ${app.port.isPractice ? "" : html`<button class="button" type="button" @click=${() => signOut(app).then(() => go("today"))}>${icon("person")}${say("signOut")}</button>`}
  </div>`;
  return frame(app, { title: counter?.clerk?.name ?? say("menu"), content });
}

/** What the store handled this month, for its owner. */
export function monthScreen(app: App): TemplateResult {
  const { say, counter } = app;
  const month = counter?.month;
  const content = html`<div class="stack narrow">
    <h2>${month === undefined ? say("thisMonth") : say.month(month.month)}</h2>
    ${rows([
      { what: say("acceptedCount"), value: month?.accepted ?? 0 },
      { what: say("handedOverCount"), value: month?.handedOver ?? 0 },
      { what: say("takenInCount"), value: month?.takenIn ?? 0 },
      { what: say("givenBackCount"), value: month?.givenBack ?? 0 },
    ])}
    <p class="quiet">${say("photosKept", { count: counter?.photosKeptDays ?? 0 })}</p>
  </div>`;
  return frame(app, { title: say("thisMonth"), back: "menu", content });
}

/** How the camera comes to a page of the store's own network. */
export function helpScreen(app: App): TemplateResult {
  const { say } = app;
  const content = html`<div class="stack narrow">
    <p>${say("helpCertificate")}</p>
    <a class="button" href="/certificate">${say("openCertificate")}</a>
    <p class="quiet">${say("helpScanner")}</p>
  </div>`;
  return frame(app, { title: say("howToHttps"), back: "menu", content });
}
