import { html, nothing, type TemplateResult } from "lit";

/** A line of a list: what, how much, and what a tap does. */
export interface Row {
  readonly what: unknown;
  readonly value?: unknown;
  /** Absent: the row only says something. */
  readonly onPress?: () => void;
}

/** A list of rows. */
export function rows(list: readonly Row[]): TemplateResult {
  return html`<ul class="rows">${list.map(
    ({ what, value, onPress }) =>
      html`<li>${
        onPress === undefined
          ? html`<div class="row"><span>${what}</span>${value === undefined ? nothing : html`<span>${value}</span>`}</div>`
          : html`<button class="row" type="button" @click=${onPress}><span>${what}</span>${value === undefined ? nothing : html`<span>${value}</span>`}</button>`
      }</li>`,
  )}</ul>`;
}
