import { html, Markup, type Part } from "../markup.ts";

/** A chart whose width is the page's: x is in percent, y in px, so that texts keep their size. */
export interface PlotOptions {
  /** What it shows, for whoever does not see it. */
  readonly label: string;
  /** Height of the area, without the labels below it, in px. Default 160. */
  readonly height?: number;
  /** Labels of the y axis, from 0 (bottom) to 1 (top). */
  readonly yTicks: readonly Tick[];
  /** Labels of the x axis, from 0 (left) to 1 (right). */
  readonly xTicks: readonly Tick[];
  readonly xTitle?: Part;
  readonly body: Part;
}

export interface Tick {
  readonly at: number;
  readonly text: string;
}

const top = 12;
const below = 24;
export const defaultHeight = 160;

/** A plot with its axes. */
export function plot({ label, height = defaultHeight, yTicks, xTicks, xTitle, body }: PlotOptions): Markup {
  const y = (at: number) => top + (1 - at) * height;
  const full = top + height + below;
  const width = Math.max(34, ...yTicks.map(({ text }) => 12 + 7.5 * text.length));
  return html`<div class="plot"><svg class="y" width="${width}" height="${full}" aria-hidden="true" data-axis>${yTicks.map(
    ({ at, text }) => html`<text x="${width - 6}" y="${round(y(at) + 4)}" text-anchor="end">${text}</text>`,
  )}</svg><svg width="100%" height="${full}" role="img" aria-label="${label}"><g class="grid">${yTicks.map(
    ({ at }) => html`<line x1="0" x2="100%" y1="${round(y(at))}" y2="${round(y(at))}"/>`,
  )}</g><svg y="${top}" width="100%" height="${height}" overflow="visible">${body}</svg><g data-axis>${xTicks.map(
    ({ at, text }) =>
      html`<text x="${percent(at)}" y="${full - 7}" text-anchor="${at < 0.04 ? "start" : at > 0.9 ? "end" : "middle"}">${text}</text>`,
  )}</g></svg></div>${xTitle !== undefined && html`<p class="axis-title">${xTitle}</p>`}`;
}

/** A share of the width. */
export function percent(share: number): string {
  return `${round(share * 100)}%`;
}

/** With two decimals at most. */
export function round(number: number): number {
  return Math.round(number * 100) / 100;
}

/** Round numbers from 0 to at least the greatest, in two to five steps. */
export function niceTicks(max: number): number[] {
  const rough = Math.max(max, 1e-9) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10) * power;
  const count = Math.max(1, Math.ceil(max / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

/** An axis from 0 with round labels. */
export function zeroAxis(max: number, textOf: (value: number) => string): { readonly max: number; readonly ticks: Tick[] } {
  const values = niceTicks(max);
  const top = values.at(-1) ?? 1;
  return { max: top, ticks: values.map((value) => ({ at: value / top, text: textOf(value) })) };
}

/** Points, x and y from 0 to 1, as the coordinates of a path in a box of 1000 × 1000. Null: a gap. */
export function pathOf(points: readonly (readonly [x: number, y: number] | null)[]): string {
  let isOpen = false;
  return points
    .map((point) => {
      const command = isOpen ? "L" : "M";
      isOpen = point !== null;
      return point === null ? "" : `${command}${Math.round(point[0] * 1000)} ${Math.round((1 - point[1]) * 1000)}`;
    })
    .join("");
}

/** A drawing in a box of 1000 × 1000 that is stretched over the plot. */
export function stretched(content: Part): Markup {
  return html`<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" width="100%" height="100%" overflow="visible">${content}</svg>`;
}

/** A path in a stretched drawing. */
export function path(className: string, d: string): Markup {
  return d === "" ? new Markup("") : html`<path class="${className}" d="${d}"/>`;
}
