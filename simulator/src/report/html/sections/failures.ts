import { type Context, card, section } from "../context.ts";
import { html, type Markup } from "../markup.ts";
import { type Column, figureTable, pathName } from "../printer.ts";

/** What went wrong, with the intentions to replay. */
export function failuresSection(context: Context): Markup {
  const { report, figure } = context;
  const { violations, endReasons, load } = report;
  const outcomes = Object.keys(load.outcomes);
  return section(
    "failures",
    "What did not go well",
    html`${figure("violations.count", "count")} violations of what must always hold. The numbers of intentions are those of the trace, to replay them.`,
    html`<div class="grid">${[
      violations.count > 0 && violationsCard(context),
      card(
        "Calls, by what was answered",
        outcomes.length === 0 ? "Every call was answered with OK." : callReasons(context, outcomes),
        "wide",
      ),
      card(
        "Intentions, by why they ended",
        endReasons.length === 0 ? "No intention ended for a reason that was told." : endReasonTable(context),
        "wide",
      ),
    ]}</div>`,
  );
}

function callReasons({ report, figure }: Context, reasons: readonly string[]): Markup {
  const rows = reasons.map((reason) => {
    const { operations } = report.load.outcomes[reason] ?? { operations: {} };
    const at = `load.outcomes.${pathName(reason)}`;
    return html`<tr><th scope="row"><code>${reason}</code></th><td class="n">${figure(`${at}.count`, "count")}</td><td>${Object.keys(operations).map((operation) => html`${operation} ${figure(`${at}.operations.${operation}`, "count")} `)}</td><td>${figure(`${at}.intentions`, "text")}</td></tr>`;
  });
  return html`<div class="scroll" role="region" aria-label="Calls by what was answered, table" tabindex="0"><table><caption>Calls by what was answered</caption><thead><tr><th scope="col">answer</th><th scope="col" class="n">calls</th><th scope="col">operations</th><th scope="col">intentions, the first</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function endReasonTable({ report, figure }: Context): Markup {
  const rows = report.endReasons.map(({ ends }, index) => {
    const at = `endReasons.${index}`;
    return html`<tr><th scope="row">${figure(`${at}.reason`, "text")}</th><td class="n">${figure(`${at}.count`, "count")}</td><td>${Object.keys(ends).map((end) => html`${end} ${figure(`${at}.ends.${end}`, "count")} `)}</td><td>${figure(`${at}.intentions`, "text")}</td></tr>`;
  });
  return html`<div class="scroll" role="region" aria-label="Intentions by reason, table" tabindex="0"><table><caption>Intentions by reason</caption><thead><tr><th scope="col">reason</th><th scope="col" class="n">intentions</th><th scope="col">ended as</th><th scope="col">the first</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** Violations that are printed; the others are in the JSON. */
const mostPrinted = 20;

function violationsCard({ report, figure }: Context): Markup {
  const { byRule, first } = report.violations;
  const columns: Column[] = [
    { head: "rule", path: "violations.byRule.{row}.rule", format: "text" },
    { head: "times", path: "violations.byRule.{row}.count", format: "count" },
  ];
  const items = first.slice(0, mostPrinted).map(({ evidence, intentions }, index) => {
    const at = `violations.first.${index}`;
    return html`<li><p><strong>${figure(`${at}.rule`, "text")}</strong> ${figure(`${at}.at`, "time")}${intentions.length > 0 && html` · intentions ${figure(`${at}.intentions`, "text")}`}</p><p>${figure(`${at}.text`, "text")}</p>${evidence.length > 0 && html`<details><summary>What shows it</summary><ol>${evidence.map((_, each) => html`<li><code>${figure(`${at}.evidence.${each}`, "text")}</code></li>`)}</ol></details>`}</li>`;
  });
  return card(
    html`<span class="bad-text"><span aria-hidden="true">✕</span> Violations</span>`,
    html`${figureTable(report, "Violations by rule", columns, [...byRule.keys()])}<ol class="violations">${items}</ol>`,
    "wide",
  );
}
