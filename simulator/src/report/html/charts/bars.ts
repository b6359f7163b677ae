import { html, type Markup, type Part } from "../markup.ts";
import { percent, plot, round, type Tick, zeroAxis } from "./plot.ts";

/** One bar: its parts from the bottom. */
export interface Bar {
  readonly title: string;
  readonly parts: readonly { readonly className: string; readonly value: number }[];
}

/** Vertical bars from zero. */
export function bars(options: {
  readonly label: string;
  readonly bars: readonly Bar[];
  readonly xTicks: readonly Tick[];
  readonly xTitle?: Part;
  readonly height?: number;
  readonly textOf: (value: number) => string;
  /** The greatest value of the axis, where several charts have the same. */
  readonly max?: number;
  /** Drawn over the bars. */
  readonly over?: Part;
}): Markup {
  const { height = 160, over, textOf } = options;
  const most = options.max ?? Math.max(...options.bars.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0)), 0);
  const { max, ticks } = zeroAxis(most, textOf);
  const width = 1 / Math.max(1, options.bars.length);
  const body = options.bars.map(({ title, parts }, index) => {
    let bottom = 0;
    const rects = parts.map(({ className, value }) => {
      const from = bottom;
      bottom += value;
      const y = round(height * (1 - bottom / max));
      const size = round((height * value) / max);
      return (
        value > 0 &&
        html`<rect class="${className}" x="${percent(index * width)}" width="${percent(width * 0.86)}" y="${y}" height="${Math.max(size, from === 0 ? 1 : 0)}"/>`
      );
    });
    return bottom > 0 && html`<g><title>${title}</title>${rects}</g>`;
  });
  return plot({ ...options, height, yTicks: ticks, body: html`${body}${over}` });
}
