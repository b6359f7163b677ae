import type { Comparison } from "../compare-reports.ts";
import { html, type Markup, type Part } from "./markup.ts";
import { page } from "./page.ts";
import { createPrinter, figureTable } from "./printer.ts";
import { bySideCharts } from "./sections/side-by-side.ts";
import { mark } from "./sections/story.ts";

/** Two runs side by side, as one HTML file that opens without a network. */
export function renderComparison(comparison: Comparison): string {
  const { figure } = createPrinter(comparison);
  const { conditions, reasons, a, b } = comparison;
  const run = (side: "a" | "b") =>
    html`<div class="card"><h2><span class="side ${side}">${side.toUpperCase()}</span> ${figure(`${side}.name`, "text")}</h2><p>${figure(`${side}.report.run.city`, "text")}, ${figure(`${side}.report.run.intentions`, "count")} intentions from ${figure(`${side}.report.run.startAt`, "date")} on</p><p class="quiet">${figure(`${side}.report.run.software`, "text")} · ${figure(`${side}.report.run.gateway`, "text")} · took ${figure(`${side}.report.run.tookMs`, "duration")} · ${comparison[side].report.run.isValid ? "every check held" : "not to be relied on"}</p></div>`;
  const notes =
    conditions.length > 0 &&
    html`<ul class="warn">${conditions.map((_, index) => html`<li>${figure(`conditions.${index}`, "text")}</li>`)}</ul>`;
  const reasonTable =
    reasons.length > 0 &&
    html`<section aria-labelledby="reasons-title"><h2 id="reasons-title">Calls by what was answered</h2><p class="lead">Other than OK, by how much they differ.</p><div class="card">${figureTable(
      comparison,
      "Calls by what was answered",
      [
        { head: "answer", path: "reasons.{row}.reason", format: "text" },
        { head: "A", path: "reasons.{row}.a", format: "count" },
        { head: "B", path: "reasons.{row}.b", format: "count" },
        { head: "difference", path: "reasons.{row}.difference", format: "+count" },
      ],
      [...reasons.keys()],
    )}</div></section>`;
  const content = html`<main><header class="top"><p class="mark">${mark}<span>Petak <span class="quiet">· two runs compared</span></span></p><h1>${figure("a.name", "text")} and ${figure("b.name", "text")}</h1>${notes}</header><div class="grid runs">${run("a")}${run("b")}</div>${differenceSection(comparison)}${bySideCharts(comparison)}${reasonTable}</main>`;
  return page(`${a.name} and ${b.name}: two runs compared`, content, false);
}

const signs = { better: "▲ better", worse: "▼ worse" } as const;

function differenceSection(comparison: Comparison): Markup {
  const { figure } = createPrinter(comparison);
  const { differences } = comparison;
  const lines = differences.map(({ format, verdict, group }, index): Part => {
    const at = `differences.${index}`;
    const isFirst = differences[index - 1]?.group !== group;
    const change = format === "share" ? "+points" : (`+${format}` as "+count");
    return html`${isFirst && html`<tr class="group"><th scope="rowgroup" colspan="6">${group}</th></tr>`}<tr><th scope="row">${figure(`${at}.title`, "text")}</th><td class="n">${figure(`${at}.a`, format)}</td><td class="n">${figure(`${at}.b`, format)}</td><td class="n">${figure(`${at}.difference`, change)}</td><td class="n">${figure(`${at}.ratio`, "ratio")}</td><td class="verdict">${verdict !== null && html`<span class="${verdict}">${signs[verdict]}</span>`}</td></tr>`;
  });
  return html`<section aria-labelledby="differences-title"><h2 id="differences-title">What differs</h2><p class="lead">The difference is B less A, the ratio B over A. What differs by less than 5 %, or a share by less than a point, is called neither better nor worse; and two runs differ by chance too.</p><div class="card"><div class="scroll tall" role="region" aria-label="What differs, table" tabindex="0"><table><caption>What differs</caption><thead><tr><th scope="col">figure</th><th scope="col" class="n">A</th><th scope="col" class="n">B</th><th scope="col" class="n">difference</th><th scope="col" class="n">ratio</th><th scope="col">B is</th></tr></thead><tbody>${lines}</tbody></table></div></div></section>`;
}
