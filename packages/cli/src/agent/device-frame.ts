import type { DeviceFact, LinkState } from "@petak/agent/device";
import type { DoorView } from "@petak/agent/simulation";
import type { Colors } from "../terminal/colors.ts";
import { layOutTable } from "../terminal/table.ts";
import { truncate } from "../terminal/text-width.ts";
import { factLine } from "./fact-line.ts";

/** A fact with the time at which it happened, in ms. */
export type TimedFact = DeviceFact & { readonly atMs: number };

/** What a frame shows, and the room for it. */
export interface DeviceFrame {
  /** The name of the site. Empty: not known yet. */
  readonly siteName: string;
  readonly siteId: string;
  readonly link: LinkState;
  /** Reports that the gateway has not acknowledged. */
  readonly unsent: number;
  readonly doors: readonly DoorView[];
  /** Oldest first. */
  readonly facts: readonly TimedFact[];
  /** What has been typed. */
  readonly input: string;
  readonly colors: Colors;
  readonly columns: number;
  readonly rows: number;
}

const help =
  "Enter: show the code typed or scanned · challenge · jam DOOR · free DOOR · ^L cut or restore the link · ^P cut the power · ^R ask the gateway · ^C end";
/** Lines beside the doors and the facts: head, blank, title of the doors, blank, blank, input, help. */
const otherRows = 7;
const factsMax = 8;
const factsMin = 3;
/** The end of a long code is what its owner can compare. */
const shownInput = 32;

/** The lines of a frame: the site and its link, its doors, what happened last, and what is being typed. */
export function renderDevice(frame: DeviceFrame): string[] {
  const { siteName, siteId, link, unsent, facts, input, colors, columns, rows } = frame;
  const state = link === "online" ? colors.green("online") : colors.yellow(link);
  const waiting = unsent === 0 ? "" : ` · ${unsent} reports wait`;
  const room = Math.max(1, rows - otherRows);
  const doors = doorLines(frame, Math.max(1, room - factsMin));
  const shown = facts.slice(-Math.max(0, Math.min(factsMax, room - doors.length + 1)));
  return [
    `${colors.bold(truncate(siteName === "" ? siteId : siteName, Math.max(8, columns - 40)))} · link ${state}${waiting}`,
    "",
    ...doors,
    "",
    ...shown.map((fact) => `${colors.dim(new Date(fact.atMs).toISOString().slice(11, 19))} ${paint(fact, colors)}`),
    "",
    `> ${input.length > shownInput ? `…${input.slice(-shownInput)}` : input}${colors.dim("▏")}`,
    colors.dim(truncate(help, columns)),
  ];
}

function paint(fact: DeviceFact, colors: Colors): string {
  const line = factLine(fact);
  if (fact.event === "decision") return fact.opened ? colors.green(line) : colors.red(line);
  return fact.event === "log" && fact.level !== "info" ? colors.yellow(line) : line;
}

/** As many doors as fit: those with something to see first, in the order of the cabinet. */
function doorLines({ doors, colors, columns }: DeviceFrame, roomFor: number): string[] {
  const isPlain = ({ door, occupancy, isJammed, condition }: DoorView) =>
    door === "CLOSED" && occupancy === "EMPTY" && !isJammed && condition === "OK";
  const busy = doors.filter((door) => !isPlain(door));
  const fits = doors.length <= roomFor;
  const room = roomFor - 1;
  const chosen = new Set(fits ? doors : [...busy, ...doors.filter(isPlain)].slice(0, room));
  const table = layOutTable(
    [{ title: "DOOR" }, { title: "SIZE" }, { title: "STANDS" }, { title: "INSIDE" }, { title: "" }],
    doors
      .filter((door) => chosen.has(door))
      .map(({ compartmentId, sizeClassId, door, occupancy, isJammed, condition }) => [
        compartmentId,
        sizeClassId,
        door === "OPEN" ? colors.cyan("open") : "closed",
        occupancy === "OCCUPIED" ? "a parcel" : occupancy === "EMPTY" ? colors.dim("nothing") : "?",
        [isJammed ? "jammed" : "", condition === "OK" ? "" : condition.toLowerCase().replaceAll("_", " ")]
          .filter((part) => part !== "")
          .join(", "),
      ]),
    { width: columns, paintTitle: colors.dim },
  );
  return fits ? table : [...table, colors.dim(`… and ${doors.length - chosen.size} more doors`)];
}
