import { median } from "../../median.ts";
import type { Figure } from "./figure.ts";

interface Bar {
  name: string;
  value: number;
  isOurs: boolean;
}

/** A group of bars about one subject. */
interface Group {
  title: string;
  bars: Bar[];
}

const width = 900;
const labelWidth = 440;
const barHeight = 16;
const barGap = 4;
const groupGap = 14;

/** The greatest length of a label, in characters. */
const longestName = 68;

/** The least value drawn: a cost computed as a difference may be zero. */
const leastDrawn = 0.1;

const titleHeight = 20;
const ours = "#0b6e4f";
const theirs = "#9aa5b1";

/** The units of the figures in the chart, and the titles of their panels. */
const panels: readonly { unit: string; title: string; parts: readonly Figure["part"][] }[] = [
  {
    unit: "µs of Redis a query",
    title: "Redis' processor time for a nearest query, µs, logarithmic: shorter is better",
    parts: ["nearest", "growth"],
  },
  {
    unit: "for each CPU second, client and server",
    title: "Nearest and hold, operations for each second of processor time, logarithmic: longer is better",
    parts: ["reserve"],
  },
  { unit: "a second", title: "Holds a second over one connection, logarithmic: longer is better", parts: ["holds"] },
];

/** A chart of the figures as SVG. Bars are logarithmic, because the peers differ by orders of magnitude. */
export function chart(figures: readonly Figure[]): string {
  const body: string[] = [];
  let y = 30;
  for (const { unit, title, parts } of panels) {
    const groups = groupsOf(figures.filter((figure) => figure.unit === unit && parts.includes(figure.part)));
    if (groups.length === 0) continue;
    body.push(text(16, y, title, 'font-weight="bold" font-size="14"'));
    y += titleHeight;
    const values = groups.flatMap(({ bars }) => bars.map(({ value }) => Math.max(value, leastDrawn)));
    const scale = logScale(Math.min(...values), Math.max(...values), width - labelWidth - 80);
    for (const group of groups) {
      body.push(text(16, y + barHeight - 4, group.title, 'font-style="italic"'));
      y += titleHeight;
      for (const { name, value, isOurs } of group.bars) {
        const length = scale(Math.max(value, leastDrawn));
        body.push(
          text(labelWidth - 8, y + barHeight - 4, name, 'text-anchor="end"'),
          `<rect x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" fill="${isOurs ? ours : theirs}"/>`,
          text(labelWidth + length + 6, y + barHeight - 4, valueText(value)),
        );
        y += barHeight + barGap;
      }
      y += groupGap;
    }
    y += groupGap;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${y}" fill="#ffffff"/>`,
    ...body,
    "</svg>\n",
  ].join("\n");
}

/** The figures grouped by subject, ours first, without duplicates. */
function groupsOf(figures: readonly Figure[]): Group[] {
  const groups = new Map<string, Map<string, Bar>>();
  for (const { what, variant, ours: values, peer } of figures) {
    const bars = groups.get(what) ?? new Map<string, Bar>();
    groups.set(what, bars);
    const name = variant === undefined ? "Petak" : `Petak ${variant}`;
    bars.set(name, { name, value: median(values), isOurs: true });
    if (peer === undefined || peer.values.length === 0) continue;
    const isOurs = peer.isOurs === true;
    // Ours under other conditions was measured in the same variant as ours.
    const peerName = isOurs && variant !== undefined ? `${peer.name}, ${variant}` : shortened(peer.name);
    bars.set(peerName, { name: peerName, value: median(peer.values), isOurs });
  }
  const oursFirst = (a: Bar, b: Bar) => Number(b.isOurs) - Number(a.isOurs);
  return [...groups].map(([title, bars]) => ({ title, bars: [...bars.values()].sort(oursFirst) }));
}

/** A name without its last parts if it does not fit beside the bars. */
function shortened(name: string): string {
  return name.length <= longestName ? name : name.slice(0, name.lastIndexOf(",", longestName));
}

/** Lengths in px, from a third of the least value on, so that the least is visible too. */
function logScale(least: number, greatest: number, length: number): (value: number) => number {
  const from = Math.log(least / 3);
  return (value) => (length * (Math.log(value) - from)) / (Math.log(greatest) - from);
}

function text(x: number, y: number, content: string, attributes = ""): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x.toFixed(1)}" y="${y}" fill="#1f2933" ${attributes}>${escaped}</text>`;
}

function valueText(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
}
