import { EventType, ReservationState } from "@petak/protocol";
import { stateName } from "./state.ts";
import { transitions } from "./transitions.ts";

/** The lines of docs/protocol.md that enclose the section. */
const sectionBegin = "<!-- begin: printed from packages/lifecycle/src/transitions.ts by npm run generate -->";
const sectionEnd = "<!-- end -->";

/** The diagram and the table of the transitions, in Markdown. */
function transitionsSection(): string {
  const events = new Map<number, string>(Object.entries(EventType).map(([name, value]) => [value, name]));
  const effect = (change: number, what: string) => (change === 0 ? "" : `${change > 0 ? "+1" : "−1"} ${what}`);
  const rows = transitions.map(({ from, to, event, heldChange, occupiedChange, cause }) => {
    const effects = [effect(heldChange, "held"), effect(occupiedChange, "occupied")].filter((text) => text !== "").join(", ");
    return `| ${shownState(from)} | ${stateName(to)} | ${cause} | ${events.get(event)} | ${effects} |`;
  });
  const arrows = transitions.map(
    ({ from, to }) => `  ${from === ReservationState.UNSPECIFIED ? "[*]" : stateName(from)} --> ${stateName(to)}`,
  );
  return [
    "```mermaid",
    "stateDiagram-v2",
    ...arrows,
    "```",
    "",
    "| from | to | when | event | counts |",
    "|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

/**
 * Regenerates the section about the transitions of a page.
 *
 * @throws {Error} if the page lacks the lines that enclose the section
 */
export function withTransitionsSection(page: string): string {
  const from = page.indexOf(sectionBegin);
  const to = page.indexOf(sectionEnd, from);
  if (from < 0 || to < 0) throw new Error(`the page lacks the lines ${sectionBegin} and ${sectionEnd}`);
  return `${page.slice(0, from)}${sectionBegin}\n\n${transitionsSection()}\n\n${page.slice(to)}`;
}

function shownState(state: ReservationState): string {
  return state === ReservationState.UNSPECIFIED ? "–" : stateName(state);
}
