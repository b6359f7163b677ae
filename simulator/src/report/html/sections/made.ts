import { type Context, card, section } from "../context.ts";
import { html, type Markup } from "../markup.ts";

/** How the run was made: whoever doubts a figure starts here. */
export function madeSection({ report, figure }: Context): Markup {
  const { run } = report;
  const rows: readonly (readonly [head: string, value: Markup])[] = [
    ["intentions", html`${figure("run.intentions", "count")}: ${figure("run.drawn", "text")}`],
    ["seed", figure("run.seed", "text")],
    ["period", html`from ${figure("run.startAt", "text")}, ${figure("run.durationMs", "duration")}`],
    ["time zone", figure("run.timeZone", "text")],
    ["gateway", html`${figure("run.gateway", "text")} over ${figure("run.protocol", "text")}`],
    [
      "clock",
      run.pace.clock === "driven"
        ? html`driven, in steps of ${figure("run.pace.stepMs", "duration")} or less: as fast as the machine could`
        : html`the system's; ${figure("run.speed", "number")} times as fast as the city's`,
    ],
    [
      "began",
      html`${figure("run.beganOn", "text")}, took ${figure("run.tookMs", "duration")}, ${figure("run.processes", "count")} ${run.processes === 1 ? "process" : "processes"}`,
    ],
    ["ended", html`${figure("run.end", "text")}${run.endReason !== null && html`: ${figure("run.endReason", "text")}`}`],
    ["software", figure("run.software", "text")],
    [
      "faults made",
      run.faults.length === 0
        ? html`none`
        : html`${run.faults.map((_, index) => html`${index > 0 && ", "}${figure(`run.faults.${index}.name`, "text")} ${figure(`run.faults.${index}.value`, "number")}`)}`,
    ],
  ];
  const remarks =
    run.remarks.length > 0 &&
    html`<ul class="remarks">${run.remarks.map((_, index) => html`<li>${figure(`run.remarks.${index}`, "text")}</li>`)}</ul>`;
  return section(
    "made",
    "How this was made",
    "People, places and times come from a trace; every call was made against a real gateway.",
    html`<div class="grid">${[
      card(
        "The run",
        html`<table class="plain"><tbody>${rows.map(([head, value]) => html`<tr><th scope="row">${head}</th><td>${value}</td></tr>`)}</tbody></table>`,
        "wide",
      ),
      card(
        "What to know",
        html`${remarks}<p>Demand counts where people live, places where the site is. Great-circle distances. Hours are those of the city's clocks.</p><details class="behind"><summary>Parameters of the trace</summary><pre tabindex="0">${figure("run.parameters", "json")}</pre></details>`,
        "wide",
      ),
    ]}</div>`,
  );
}
