import { type Clerk, ClerkRole, type Counter } from "@petak/protocol/counter";
import { icon, mark, notice } from "@petak/ui";
import { html, nothing, type TemplateResult } from "lit";
import type { App } from "../app/app.ts";
import { signIn } from "../app/session.ts";
import { languageMenu } from "./languages.ts";

/** The digits of a PIN, and what follows the fewest of them. */
const pinMaxLength = 8;
const pinMinLength = 4;

/** Who works here, and the clerk's PIN. */
export function signInScreen(app: App, counter: Counter, onPractice: () => void): TemplateResult {
  const { say, view } = app;
  const clerk = counter.clerks.find(({ clerkId }) => clerkId === view.clerkId);
  return html`<header class="head"><h1 tabindex="-1">${counter.name}</h1></header>
    <main><div class="stack narrow">
      ${app.isReachable === false ? notice("attention", say("signInNeedsAgent")) : nothing}
      ${clerk === undefined ? chooseClerk(app, counter) : pinPad(app, clerk)}
      ${clerk === undefined ? html`<button class="button" type="button" @click=${onPractice}>${say("practise")}</button>${languageMenu(app)}` : nothing}
    </div></main>`;
}

function chooseClerk(app: App, { clerks }: Counter): TemplateResult {
  const { say } = app;
  if (clerks.length === 0) return html`<div class="empty">${mark(56)}<p>${say("noClerks")}</p></div>`;
  return html`<h2>${say("whoIsHere")}</h2>
    <div class="tiles">${clerks.map(
      ({
        clerkId,
        name,
        role,
      }) => html`<button class="tile" type="button" @click=${() => app.setView({ clerkId, pin: "", signIn: undefined })}>
        ${icon("person", 32)}<span>${name}${role === ClerkRole.OWNER ? html`<br /><small>${say("owner")}</small>` : nothing}</span></button>`,
    )}</div>`;
}

function pinPad(app: App, { name }: Clerk): TemplateResult {
  const { say, view } = app;
  const type = (digit: string): void => {
    if (view.pin.length < pinMaxLength) app.setView({ pin: view.pin + digit });
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    if (view.pin.length >= pinMinLength) void signIn(app);
  };
  const digits = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
  const key = (digit: string): TemplateResult =>
    html`<button class="button" type="button" aria-label=${say("digit", { digit })} @click=${() => type(digit)}>${digit}</button>`;
  // The keypad below stands for a keyboard on the screen, which would cover it. One with keys types into the field.
  return html`<form class="stack" @submit=${submit}>
    <label class="field"><span>${say("yourPin", { name })}</span>
      <input type="password" inputmode="none" autofocus autocomplete="off" maxlength=${pinMaxLength} .value=${view.pin} @input=${({ target }: InputEvent) => app.setView({ pin: (target as HTMLInputElement).value.replaceAll(/\D/g, "") })} />
    </label>
    ${whatHappened(app)}
    <div class="keypad">
      ${digits.map(key)}
      <button class="button" type="button" aria-label=${say("deleteDigit")} @click=${() => app.setView({ pin: view.pin.slice(0, -1) })}>⌫</button>
      ${key("0")}
      <button class="button primary" type="submit" aria-label=${say("signIn")} ?disabled=${view.pin.length < pinMinLength}>${icon("done")}</button>
    </div>
    <button class="button" type="button" @click=${() => app.setView({ clerkId: "", pin: "", signIn: undefined })}>${say("back")}</button>
  </form>`;
}

function whatHappened({ say, view }: App): TemplateResult | typeof nothing {
  const { isUnreachable, isWrong, lockedUntilMs } = view.signIn ?? {};
  if (isUnreachable === true) return notice("attention", say("signInNeedsAgent"));
  if (lockedUntilMs !== undefined) return notice("error", say("pinLocked", { time: say.clock(lockedUntilMs) }));
  return isWrong === true ? notice("error", say("pinWrong")) : nothing;
}
