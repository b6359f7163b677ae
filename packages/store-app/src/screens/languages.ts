import { rows } from "@petak/ui";
import { html, nothing, type TemplateResult } from "lit";
import type { App } from "../app/app.ts";
import { keepLanguage } from "../app/tablet.ts";
import { languages } from "../words/languages.ts";
import { frame, go } from "./frame.ts";

function choose(app: App, tag: string): void {
  keepLanguage(tag);
  app.setLanguage(tag);
}

/** The languages of this store as a field, for whoever cannot read the page. */
export function languageMenu(app: App): TemplateResult {
  const { say } = app;
  return html`<label class="field"><span>${say("language")}</span>
    <select @change=${({ target }: Event) => choose(app, (target as HTMLSelectElement).value)}>
      ${languages.map(({ tag, name }) => html`<option value=${tag} lang=${tag} ?selected=${tag === say.language.tag}>${name}</option>`)}
    </select></label>`;
}

/** All languages, each with whether a native speaker has signed it off. */
export function languagesScreen(app: App): TemplateResult {
  const { say } = app;
  const content = rows(
    languages.map(({ tag, name, isReviewed }) => ({
      what: html`<span lang=${tag}>${name}</span>${isReviewed ? nothing : html`<br /><small class="quiet">${say("unreviewed")}</small>`}`,
      value: tag === say.language.tag ? "✓" : "",
      onPress: () => {
        choose(app, tag);
        go("menu");
      },
    })),
  );
  return frame(app, { title: say("language"), back: "menu", content: html`<div class="narrow">${content}</div>` });
}
