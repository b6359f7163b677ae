import type { Report } from "../report.ts";
import { html, type Markup, type Part } from "./markup.ts";
import { createPrinter, type Printer } from "./printer.ts";

/** What a section of the page is made from. */
export interface Context extends Printer {
  readonly report: Report;
}

export function contextOf(report: Report): Context {
  return { report, ...createPrinter(report) };
}

/** A section with its heading. */
export function section(id: string, title: string, lead: Part, content: Part): Markup {
  return html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2><p class="lead">${lead}</p>${content}</section>`;
}

/** A chart or a table with its own heading. */
export function card(title: Part, content: Part, className = ""): Markup {
  return html`<div class="card ${className}"><h3>${title}</h3>${content}</div>`;
}

/** A figure with what it means. */
export function fact(figure: Part, meaning: Part): Markup {
  return html`<div class="fact"><dt>${meaning}</dt><dd>${figure}</dd></div>`;
}

/** Figures beside each other. */
export function facts(items: readonly Part[]): Markup {
  return html`<dl class="facts">${items}</dl>`;
}

/** A mark of a chart's parts with their words. */
export function key(items: readonly (readonly [className: string, text: Part])[]): Markup {
  return html`<ul class="key">${items.map(([className, text]) => html`<li><svg width="14" height="14" aria-hidden="true"><rect class="${className}" x="1" y="1" width="12" height="12" rx="2"/></svg> ${text}</li>`)}</ul>`;
}
