import { median } from "../../median.ts";
import { type AllocatorReport, type Figure, isMet, resultOf, type Target } from "./figure.ts";

/** The report as Markdown. */
export function reportTable({ commit, node, server, cpu, rounds, seconds, figures }: AllocatorReport): string {
  return [
    `Commit ${commit}, Node ${node}, ${server}, ${cpu}. Median of ${rounds} rounds, least–most in brackets; rates over ${seconds} s.`,
    "",
    "| what | unit | ours | compared with | its figure | ours / its | target | met |",
    "|---|---|---|---|---|---|---|---|",
    ...figures.filter(({ target }) => target !== undefined).map((figure) => row([...cellsOf(figure), ...targetCells(figure)])),
    "",
    "Compared with other solutions, and other figures of the same run:",
    "",
    "| what | unit | ours | compared with | its figure | ours / its |",
    "|---|---|---|---|---|---|",
    ...figures.filter(({ target }) => target === undefined).map((figure) => row(cellsOf(figure))),
    "",
    "![The same as bars](../bench/results/allocator.svg)",
  ].join("\n");
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function cellsOf(figure: Figure): string[] {
  const { what, variant, unit, ours, peer, notMeasured } = figure;
  const result = resultOf(figure);
  const ratio = peer === undefined ? "" : Number.isNaN(result) ? "not measured" : ratioText(result);
  return [
    variant === undefined ? what : `${what}, ${variant}`,
    unit,
    spread(ours),
    peer?.name ?? "",
    peer === undefined ? "" : notMeasured === undefined ? spread(peer.values) : "not measured",
    ratio,
  ];
}

function targetCells(figure: Figure): string[] {
  const { target, peer } = figure;
  if (target === undefined) return [];
  const met = isMet(figure);
  return [targetText(target, peer !== undefined), met === undefined ? "not measured" : met ? "yes" : "**no**"];
}

function spread(values: readonly number[]): string {
  const text = numberText(median(values));
  return values.length === 1 ? text : `${text} (${numberText(Math.min(...values))}–${numberText(Math.max(...values))})`;
}

function targetText({ limit, is }: Target, isRatio: boolean): string {
  return `${is === "at most" ? "≤" : "≥"} ${isRatio ? ratioText(limit) : numberText(limit)}`;
}

/** A ratio: small ones as fractions, e.g. 1/10. */
function ratioText(ratio: number): string {
  return ratio < 0.3 ? `1/${numberText(1 / ratio)}` : numberText(ratio);
}

/** Three significant digits. */
function numberText(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}
