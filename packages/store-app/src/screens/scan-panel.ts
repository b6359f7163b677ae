import { icon } from "@petak/ui";
import { html, nothing, type TemplateResult } from "lit";
import type { App } from "../app/app.ts";
import { writeRoute } from "../app/route.ts";
import type { NextScan } from "../counter/port.ts";
import type { CameraProblem } from "../scan/camera.ts";
import { cleanCode } from "../scan/clean-code.ts";
import type { PlainKey } from "../words/english.ts";

/** What is to be scanned, and who hears of it. */
export interface ScanPanel {
  readonly prompt: string;
  readonly next: NextScan;
  readonly onCode: (code: string) => void | Promise<void>;
}

const problemWords: Readonly<Record<CameraProblem, PlainKey>> = {
  insecure: "cameraNeedsHttps",
  denied: "cameraDenied",
  none: "cameraNone",
};

/** The camera's trouble on this page. It is found once: screens with a camera come and go. */
let cameraProblem: CameraProblem | undefined;

/** A place to scan: the camera, a field to type, or in practice the made-up codes. A scanner that types works wherever the focus is. */
export function scanPanel(app: App, panel: ScanPanel): TemplateResult {
  const { prompt, next, onCode } = panel;
  const codes = app.port.madeUpCodes?.(next);
  if (codes !== undefined) return madeUp(app, prompt, codes, onCode);
  const { say } = app;
  if (cameraProblem !== undefined) {
    const help = cameraProblem === "insecure" ? html` <a href=${writeRoute({ name: "help", id: "" })}>${say("howToHttps")}</a>` : nothing;
    return html`<div class="stack"><h2>${prompt}</h2>${typing(app, panel)}<p class="quiet">${say(problemWords[cameraProblem])}${help}</p></div>`;
  }
  const onProblem = ({ detail }: CustomEvent<CameraProblem>): void => {
    cameraProblem = detail;
    app.changed();
  };
  return html`<div class="stack">
    <store-camera .prompt=${prompt} .light=${say("light")} .starting=${say("cameraStarting")} @code=${({ detail }: CustomEvent<string>) => scanned(detail, onCode)} @problem=${onProblem}></store-camera>
    ${
      app.view.isTyping || (app.draft.typed ?? "") !== ""
        ? typing(app, panel)
        : html`<button class="button" type="button" @click=${() => app.setView({ isTyping: true })}>${say("typeNumber")}</button>`
    }
  </div>`;
}

function scanned(text: string, onCode: ScanPanel["onCode"]): void {
  const code = cleanCode(text);
  if (code !== "") void onCode(code);
}

function typing(app: App, { onCode }: ScanPanel): TemplateResult {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const code = cleanCode(app.draft.typed ?? "");
    if (code === "") return;
    app.setDraft({ typed: undefined });
    void onCode(code);
  };
  return html`<form class="typing" @submit=${submit}>
    <label class="field"><span>${app.say("codeOrNumber")}</span>
      <input name="code" .value=${app.draft.typed ?? ""} autocomplete="off" autocapitalize="characters" spellcheck="false" enterkeyhint="go" @input=${({ target }: InputEvent) => app.setDraft({ typed: (target as HTMLInputElement).value })} />
    </label>
    <button class="button" type="submit">${app.say("next")}</button>
  </form>`;
}

function madeUp(app: App, prompt: string, codes: readonly string[], onCode: ScanPanel["onCode"]): TemplateResult {
  return html`<section class="made-up stack" aria-label=${prompt}>
    <h2>${icon("scan")} ${prompt}</h2>
    <p class="quiet">${app.say("tapMadeUp")}</p>
    <div class="made-up-codes">${codes.map((code) => html`<button class="button" type="button" @click=${() => onCode(code)}>${code}</button>`)}</div>
  </section>`;
}
