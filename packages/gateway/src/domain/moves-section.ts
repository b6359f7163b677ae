import { EventType, ReservationState } from "@petak/protocol";
import { moves, stateName } from "./moves.ts";

/** The lines of docs/protocol.md between which the section stands. */
export const movesSectionBegin =
  "<!-- begin: printed from packages/gateway/src/domain/moves.ts by packages/gateway/src/domain/write-moves.ts -->";
export const movesSectionEnd = "<!-- end -->";

/** The table of moves and its picture, printed from the one object that the gateway goes by. */
export function movesSection(): string {
  const events = new Map<number, string>(Object.entries(EventType).map(([name, value]) => [value, name]));
  const effect = (change: number, what: string) => (change === 0 ? "" : `${change > 0 ? "+1" : "−1"} ${what}`);
  const rows = moves.map(({ from, to, event, heldChange, occupiedChange, cause }) => {
    const effects = [effect(heldChange, "held"), effect(occupiedChange, "occupied")].filter((text) => text !== "").join(", ");
    return `| ${shownState(from)} | ${stateName(to)} | ${cause} | ${events.get(event)} | ${effects} |`;
  });
  const arrows = moves.map(({ from, to }) => `  ${from === ReservationState.UNSPECIFIED ? "[*]" : stateName(from)} --> ${stateName(to)}`);
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

/** The page with its section replaced. */
export function withMovesSection(page: string): string {
  const from = page.indexOf(movesSectionBegin);
  const to = page.indexOf(movesSectionEnd, from);
  if (from < 0 || to < 0) throw new Error("the page lacks the lines between which the moves stand");
  return `${page.slice(0, from)}${movesSectionBegin}\n\n${movesSection()}\n\n${page.slice(to)}`;
}

function shownState(state: ReservationState): string {
  return state === ReservationState.UNSPECIFIED ? "–" : stateName(state);
}
