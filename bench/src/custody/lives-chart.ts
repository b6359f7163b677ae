import { median } from "../median.ts";
import { levels } from "./levels.ts";
import { type LifeFigure, subjects } from "./life-figure.ts";

const width = 900;
const labelWidth = 330;
const barHeight = 16;
const barGap = 4;
const titleHeight = 26;
const colours: Record<LifeFigure["subject"], string> = { gateway: "#0b6e4f", records: "#59a98b", postgres: "#9aa5b1" };

/** Whole lives a second as an SVG chart. Bars are logarithmic: one client waits for each response, many share the waiting. */
export function livesChart(figures: readonly LifeFigure[]): string {
  const bars = figures.map(({ livesPerSecond, ...figure }) => ({ ...figure, value: Math.max(1, median(livesPerSecond)) }));
  const most = Math.max(10, ...bars.map(({ value }) => value));
  const length = (value: number) => ((width - labelWidth - 90) * Math.log(value)) / Math.log(most);
  const body: string[] = [];
  let y = 30;
  body.push(text(16, y, "Whole lives a second, logarithmic: longer is better", 'font-weight="bold" font-size="14"'));
  for (const level of levels) {
    const group = bars.filter((bar) => bar.level === level);
    if (group.length === 0) continue;
    y += titleHeight;
    body.push(text(16, y, level, 'font-style="italic"'));
    y += 8;
    for (const { subject, clients, value } of group.toSorted((a, b) => a.clients - b.clients)) {
      body.push(
        text(
          labelWidth - 8,
          y + barHeight - 4,
          `${subjects[subject]}, ${clients} ${clients === 1 ? "client" : "clients"}`,
          'text-anchor="end"',
        ),
        `<rect x="${labelWidth}" y="${y}" width="${length(value).toFixed(1)}" height="${barHeight}" fill="${colours[subject]}"/>`,
        text(labelWidth + length(value) + 6, y + barHeight - 4, Math.round(value).toLocaleString("en")),
      );
      y += barHeight + barGap;
    }
  }
  const height = y + 16;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...body,
    "</svg>\n",
  ].join("\n");
}

function text(x: number, y: number, content: string, attributes = ""): string {
  return `<text x="${x.toFixed(1)}" y="${y}" fill="#1f2933" ${attributes}>${content}</text>`;
}
