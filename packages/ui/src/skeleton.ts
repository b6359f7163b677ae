import { html, type TemplateResult } from "lit";

/** Holds the room of rows that are on their way, so that nothing jumps when they come. */
export function skeleton(count: number): TemplateResult {
  return html`<div class="stack" aria-hidden="true">${Array.from({ length: count }, () => html`<span class="skeleton"></span>`)}</div>`;
}
