import { type CallCost, type PartName, partNames } from "./call-costs.ts";

const width = 900;
const margin = 20;
const barHeight = 34;
const titleHeight = 26;
const rowHeight = 17;
const barGap = 22;

/** Colours that differ for all kinds of colour blindness (Okabe and Ito), and what is legible on each. */
const colours: Record<PartName, { fill: string; text: string }> = {
  socket: { fill: "#8a8f98", text: "#000" },
  http: { fill: "#56b4e9", text: "#000" },
  stock: { fill: "#cc79a7", text: "#000" },
  rpc: { fill: "#0072b2", text: "#fff" },
  search: { fill: "#009e73", text: "#000" },
  hold: { fill: "#e69f00", text: "#000" },
  redis: { fill: "#d55e00", text: "#000" },
};

/** Light, or dark where the reader's system is. */
const style = `<style>
svg { --paper: #ffffff; --ink: #1f2933; --quiet: #66707c }
@media (prefers-color-scheme: dark) { svg { --paper: #0d1117; --ink: #e6edf3; --quiet: #9aa5b1 } }
.paper { fill: #ffffff; fill: var(--paper) }
.ink { fill: #1f2933; fill: var(--ink) }
.quiet { fill: #66707c; fill: var(--quiet) }
.line { stroke: #66707c; stroke: var(--quiet) }
.gap { stroke: #ffffff; stroke: var(--paper) }
</style>`;

/** A picture of where the time of calls goes, as SVG: a bar for each, all to one scale, every part named below it. */
export function stackedChart(costs: readonly CallCost[]): string {
  const totals = costs.map(totalOf);
  const scale = (width - 2 * margin) / Math.max(...totals);
  const body: string[] = [];
  let y = 34;
  body.push(text(margin, 24, "Where the processor time of a call goes, µs", 'class="ink" font-size="15" font-weight="bold"'));
  for (const [index, cost] of costs.entries()) {
    y += titleHeight;
    const total = totals[index] as number;
    body.push(text(margin, y - 8, `${cost.title}: ${Math.round(total)} µs`, 'class="ink"'));
    const { lines, height } = barOf(cost, y, scale);
    body.push(...lines);
    y += height + barGap;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}" font-family="sans-serif" font-size="12">`,
    style,
    `<rect width="${width}" height="${y}" class="paper"/>`,
    ...body,
    "</svg>\n",
  ].join("\n");
}

/**
 * The bar, with the names of its parts in as many rows as they need. A name begins at a line down from its part; the last stands highest, so that no
 * line crosses a name.
 */
function barOf(cost: CallCost, top: number, scale: number): { lines: string[]; height: number } {
  const lines: string[] = [];
  let x = margin;
  const parts = cost.parts.map(({ name, micros }) => {
    const part = { name, micros, x, length: micros * scale };
    x += part.length;
    return part;
  });
  let row = 0;
  let rows = 1;
  /** Where the name to the right, in the same row, begins. */
  let nextFrom = Number.POSITIVE_INFINITY;
  for (const { name, micros, x, length } of parts.toReversed()) {
    const { fill, text: onFill } = colours[name];
    const value = numberText(micros);
    const isValueInside = length > textWidth(value) + 6;
    lines.push(
      `<rect x="${x.toFixed(1)}" y="${top}" width="${length.toFixed(1)}" height="${barHeight}" fill="${fill}" class="gap" stroke-width="1"/>`,
    );
    if (isValueInside) {
      lines.push(text(x + length / 2, top + 22, value, `fill="${onFill}" text-anchor="middle" font-weight="bold"`));
    }
    const label = isValueInside ? partNames[name] : `${partNames[name]} ${value}`;
    const lineX = x + Math.min(length / 2, 8);
    const from = Math.min(lineX + 5, width - margin - textWidth(label));
    // As high as the name to its right leaves room.
    row = from + textWidth(label) + 8 < nextFrom ? row : row + 1;
    rows = Math.max(rows, row + 1);
    nextFrom = lineX;
    const baseline = top + barHeight + 18 + row * rowHeight;
    const y2 = baseline - 4;
    lines.push(
      `<path d="M${lineX.toFixed(1)} ${top + barHeight + 1}V${y2}H${(lineX + 4).toFixed(1)}" fill="none" class="line" stroke-width="1"/>`,
      text(from + 2, baseline, label, 'class="ink"'),
    );
  }
  return { lines, height: barHeight + 6 + rows * rowHeight };
}

/** About how wide a text is at 12 px, in px. */
function textWidth(content: string): number {
  return content.length * 6.7;
}

function totalOf({ parts }: CallCost): number {
  return parts.reduce((sum, { micros }) => sum + micros, 0);
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${content.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</text>`;
}

function numberText(micros: number): string {
  return micros >= 10 ? String(Math.round(micros)) : micros.toFixed(1);
}
