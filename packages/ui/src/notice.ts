import { html, type TemplateResult } from "lit";
import { type IconName, icon } from "./icon.ts";

/** How much a notice asks for. */
export type Tone = "fact" | "attention" | "error";

const icons: Record<Tone, IconName> = { fact: "fact", attention: "wait", error: "problem" };

/** What happened, and the way on, where it arose. Screen readers say it at once. */
export function notice(tone: Tone, words: unknown): TemplateResult {
  return html`<div class="notice ${tone}" role=${tone === "error" ? "alert" : "status"}>${icon(icons[tone])}<div>${words}</div></div>`;
}
