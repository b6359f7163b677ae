import { randomUUID } from "node:crypto";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type OpeningHours, type Site, SiteLifecycle } from "@petak/protocol";
import { type Command, InvalidArgumentError } from "commander";
import { describeCondition } from "../chain/site-condition.ts";
import type { CommandModule } from "../command.ts";
import { usageFailure } from "../failure.ts";
import type { Session } from "../session.ts";
import { askDevices } from "../stores/ask-devices.ts";
import { asInTheWeek, closingAt, hoursOn } from "../stores/hours-of-day.ts";
import { clockText, localTime } from "../stores/local-time.ts";
import { type Handled, readStores, type StoreState, storesOf } from "../stores/read-stores.ts";
import { idsOf } from "./id-argument.ts";

/** Sites of UpsertSites: the protocol's limit. */
const upsertMax = 100;

interface ListOptions {
  month: boolean;
  ask: boolean;
}

interface CloseOptions {
  all: boolean;
  at?: number;
  undo: boolean;
}

/** `petak stores`: for the owner of several shops, how they stand, and closing early. */
export const registerStores: CommandModule = (command, context) => {
  command
    .command("list", { isDefault: true })
    .description("show how your shops stand: parcels, what was handled today, whether they take any, and their devices")
    .argument("[site...]", "only these, site_… (default: all your collection points)", idsOf("site"))
    .option("--month", "also what was handled this month", false)
    .option("--ask", "ask each device whether it is there; your key must be allowed to sign commands", false)
    .action(
      async (siteIds: string[], options: ListOptions, running: Command) => await listStores(context.session(running), siteIds, options),
    );
  command
    .command("close-early")
    .description("close shops earlier today: their opening hours of today end then, and those of other days stay as they are")
    .argument("[site...]", "site_…", idsOf("site"))
    .option("--all", "all your collection points", false)
    .option("--at <time>", "when, by the clock of each shop, e.g. 18:00 (default: now)", parseClock)
    .option("--undo", "the hours of the week are good for today again", false)
    .addHelpText("after", "\nExample: the power will be cut this evening:\n  petak --key owner.json stores close-early --all --at 18:00")
    .action(
      async (siteIds: string[], options: CloseOptions, running: Command) => await closeEarly(context.session(running), siteIds, options),
    );
};

async function listStores(session: Session, siteIds: string[], { month, ask }: ListOptions): Promise<void> {
  const { output, io } = session;
  const connection = await session.connect();
  const stores = await chosen(connection.client, connection.keyFile.participant_id, siteIds);
  const nowMs = io.now();
  const answered = ask ? await askDevices(connection, stores, nowMs) : undefined;
  const states = await readStores(connection.client, stores, { nowMs, withMonth: month });
  output.json({ stores: states.map((state) => asJson(state, { nowMs, month, answers: answered?.has(state.site.siteId) })) });
  if (states.length === 0) return output.print("You have no collection points.");
  const columns = [
    ...[{ title: "SHOP", flexible: true }, { title: "TAKES" }, { title: "OPEN TODAY" }, { title: "HERE" }, { title: "OVERDUE" }],
    ...[{ title: "EXPECTED" }, { title: "FREE" }, { title: "TODAY" }, ...(month ? [{ title: "MONTH" }] : [])],
    ...[{ title: "DEVICE" }, { title: "SITE", paint: output.colors.cyan }],
  ];
  output.table(
    columns,
    states.map((state) => {
      const { site, counts, overdue, today, month: ofMonth } = state;
      const numbers = [counts?.inside, overdue, counts?.expected, counts?.free].map((count) => String(count ?? "?"));
      const done = [today, ...(month ? [ofMonth] : [])].map(handledText);
      return [site.name, takesText(site, nowMs), hoursText(site, nowMs), ...numbers, ...done, deviceText(state, answered), site.siteId];
    }),
  );
}

async function closeEarly(session: Session, siteIds: string[], { all, at, undo }: CloseOptions): Promise<void> {
  if (all === siteIds.length > 0) throw usageFailure("Name the shops, or pass --all: one of the two.");
  if (undo && at !== undefined) throw usageFailure("--undo brings back the hours of the week, so it takes no --at.");
  const { output, io } = session;
  const { client, keyFile } = await session.connect();
  const stores = await chosen(client, keyFile.participant_id, siteIds);
  const nowMs = io.now();
  const changed = stores.map((site): Site => {
    const today = localTime(site.timeZone, nowMs);
    const hours = site.openingHours;
    if (hours === undefined) throw usageFailure(`${site.name} (${site.siteId}) has no opening hours.`);
    return { ...site, openingHours: undo ? asInTheWeek(hours, today) : closingAt(hours, today, at ?? today.minute) };
  });
  for (let first = 0; first < changed.length; first += upsertMax)
    await client.directory.upsertSites({ requestId: randomUUID(), sites: changed.slice(first, first + upsertMax) });
  output.json({ stores: changed.map((site) => ({ siteId: site.siteId, name: site.name, openToday: hoursText(site, nowMs) })) });
  for (const site of changed) output.print(`${site.name}: ${hoursText(site, nowMs)}`);
}

/** The stores that are meant. Throws a usage failure that names one that is none of the caller's. */
async function chosen(...[client, operatorId, siteIds]: Parameters<typeof storesOf>): Promise<Site[]> {
  const stores = await storesOf(client, operatorId, siteIds);
  const unknown = siteIds.find((siteId) => stores.every((site) => site.siteId !== siteId));
  if (unknown === undefined) return stores;
  throw usageFailure(`"${unknown}" is no collection point of yours; \`petak stores\` lists them.`);
}

const handledText = ({ in: came, out }: Handled) => `${came} in, ${out} out`;

function hoursText({ openingHours, timeZone }: Pick<Site, "timeZone"> & { openingHours?: OpeningHours }, nowMs: number): string {
  const spans = hoursOn(openingHours, localTime(timeZone, nowMs));
  if (spans.length === 0) return "closed";
  return spans.map(({ openMinute, closeMinute }) => `${clockText(openMinute)}-${clockText(closeMinute)}`).join(", ");
}

/** Whether a store takes parcels. A pause that is over by its time is none. */
function takesText({ lifecycle, intake, timeZone }: Site, nowMs: number): string {
  if (lifecycle === SiteLifecycle.PLANNED) return "planned";
  if (lifecycle !== SiteLifecycle.ACTIVE) return "no: out of service";
  const untilMs = intake?.pausedUntil === undefined ? undefined : timestampMs(intake.pausedUntil);
  if (intake?.paused !== true || (untilMs !== undefined && untilMs <= nowMs)) return "yes";
  return untilMs === undefined ? "no: paused" : `no: paused to ${dayAndClock(timeZone, untilMs, nowMs)}`;
}

/** A time of day at a store, with the date if it is not today. */
function dayAndClock(timeZone: string, ms: number, nowMs: number): string {
  const [at, now] = [localTime(timeZone, ms), localTime(timeZone, nowMs)];
  const isToday = at.year === now.year && at.month === now.month && at.day === now.day;
  return isToday ? clockText(at.minute) : `${at.month}-${String(at.day).padStart(2, "0")} ${clockText(at.minute)}`;
}

function deviceText({ site, lastReportMs, condition }: StoreState, answered: ReadonlySet<string> | undefined): string {
  const last = lastReportMs === undefined ? "no report in two days" : `reported ${clockAt(site, lastReportMs)}`;
  const wrong = condition === undefined ? "" : `; ${describeCondition(condition)}`;
  if (answered === undefined) return `${last}${wrong}`;
  return `${answered.has(site.siteId) ? "answers" : `does not answer, ${last}`}${wrong}`;
}

function clockAt({ timeZone }: Site, ms: number): string {
  const { day, month, minute } = localTime(timeZone, ms);
  return `${month}-${String(day).padStart(2, "0")} ${clockText(minute)}`;
}

function asJson(state: StoreState, { nowMs, month, answers }: { nowMs: number; month: boolean; answers: boolean | undefined }): object {
  const { site, counts, overdue, today, lastReportMs, condition } = state;
  return {
    siteId: site.siteId,
    name: site.name,
    takes: takesText(site, nowMs),
    openToday: hoursText(site, nowMs),
    ...(counts ?? { inside: null, expected: null, free: null }),
    overdue,
    today,
    ...(month && { month: state.month }),
    device: {
      lastReportAt: lastReportMs === undefined ? null : new Date(lastReportMs).toISOString(),
      condition: condition === undefined ? null : describeCondition(condition),
      ...(answers !== undefined && { answers }),
    },
  };
}

function parseClock(text: string): number {
  const [, hours, minutes] = /^([01]?\d|2[0-4]):([0-5]\d)$/.exec(text.trim()) ?? [];
  const minute = Number(hours) * 60 + Number(minutes);
  if (minute <= 1440) return minute;
  throw new InvalidArgumentError("write a time of day from 00:00 to 24:00, e.g. 18:00.");
}
