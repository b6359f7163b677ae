import { html, type TemplateResult } from "lit";

/** A state in a word or two. The dot's colour says nothing that the words do not say. */
export function pill(tone: "primary" | "attention" | "off" | "error", words: string): TemplateResult {
  return html`<span class="pill ${tone}"><span aria-hidden="true">●</span>${words}</span>`;
}
