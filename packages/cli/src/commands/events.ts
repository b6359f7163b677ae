import { randomUUID } from "node:crypto";
import { toJson } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { CorrectEventsResponseSchema, CorrectionReason, type Event, EventSchema, type EventType } from "@petak/protocol";
import type { Command } from "commander";
import type { CommandModule } from "../command.ts";
import { readCursor, writeCursor } from "../cursor-file.ts";
import { usageFailure } from "../failure.ts";
import { eventLine } from "../feed/event-line.ts";
import { type FeedStart, followFeed } from "../feed/follow-feed.ts";
import type { Session } from "../session.ts";
import { idOf } from "./id-argument.ts";
import { instantParser } from "./instant.ts";
import { collectEventTypes } from "./webhook-text.ts";
import { wordsOf } from "./words.ts";

/** Events per call: the protocol's greatest. */
const pageSize = 1000;

const reasons = wordsOf(CorrectionReason);

interface ListOptions {
  follow?: boolean;
  since?: string;
  now?: boolean;
  from?: Date;
  to?: Date;
  type?: EventType[];
  reservation?: string;
}

const examples = `
Examples:
  petak events --since feed.cursor                     what has come since the run that wrote the file
  petak events --follow --since feed.cursor --json     and what comes, one line of JSON for each event
  petak events --follow --now --type parcel-deposited  from now on, deposits only
  petak events --from 2026-11-05T00:00+08:00 --to 2026-11-06T00:00+08:00
  petak events correct res_… evt_… --reason wrong-time --occurred-at 2026-11-05T21:30+08:00

An event may come twice, with the same id. The file of --since is written after the events before it have been printed.`;

/** `petak events`: reads the caller's feed, and corrects events. */
export const registerEvents: CommandModule = (command, context) => {
  command.addHelpText("after", examples);
  command
    .command("list", { isDefault: true })
    .description("print your events, oldest first; with --json one line for each")
    .option("--follow", "go on with the events that come, until Ctrl-C")
    .option("--since <file>", "begin where the run ended that wrote this file, and write it; without the file, begin with the oldest event")
    .option("--now", "with --follow: begin with the next event")
    .option("--from <time>", "only events recorded at this time or later, e.g. 2026-11-05T21:30+08:00 or -2h", instantParser(context.io))
    .option("--to <time>", "only events recorded before this time", instantParser(context.io))
    .option("--type <type>", "print only these types, e.g. parcel-deposited; several with commas", collectEventTypes)
    .option("--reservation <reservation>", "print only those of this reservation, res_…", idOf("res"))
    .action(async (options: ListOptions, running: Command) => {
      checkOptions(options);
      await readFeed(context.session(running), options);
    });

  command
    .command("correct")
    .description("for operators: declare events of a reservation wrong; nothing is changed or deleted")
    .argument("<reservation>", "res_…", idOf("res"))
    .argument("<event...>", "evt_…, at most 20")
    .requiredOption("--reason <reason>", reasons.all.join(", "), reasons.parse)
    .option("--occurred-at <time>", "of one event: when it really happened, e.g. 2026-11-05T21:30+08:00 or -2h", instantParser(context.io))
    .action(
      async (reservationId: string, eventIds: string[], options: { reason: CorrectionReason; occurredAt?: Date }, running: Command) => {
        const session = context.session(running);
        const { client } = await session.connect();
        const { reason, occurredAt } = options;
        const correction = { reservationId, eventIds, reason, ...(occurredAt && { occurredAt: timestampFromDate(occurredAt) }) };
        const response = await client.custody.correctEvents({ requestId: randomUUID(), ...correction });
        session.output.json(toJson(CorrectEventsResponseSchema, response));
        session.output.print(`${response.event?.eventId} says that ${eventIds.join(", ")} of ${reservationId} is wrong.`);
      },
    );
};

function checkOptions({ follow, since, now, from, to }: ListOptions): void {
  if (now === true && follow !== true) throw usageFailure("--now is for --follow: without it there would be nothing to print.");
  if (now === true && (since ?? from) !== undefined)
    throw usageFailure("--now, --since and --from each say where to begin. Give one of them.");
  if (since !== undefined && (from ?? to) !== undefined) throw usageFailure("--from and --to choose from all events. Omit --since.");
  if (follow === true && to !== undefined) throw usageFailure("--follow does not end, so that it goes with no --to.");
}

/** Reads what is there, and with `--follow` what comes. */
async function readFeed(session: Session, options: ListOptions): Promise<void> {
  const { output } = session;
  const { follow, since, now, type, reservation } = options;
  const path = since === undefined ? undefined : session.resolve(since);
  const { client } = await session.connect();
  const print = (events: readonly Event[]) => {
    const wanted = events.filter(
      (event) => (type === undefined || type.includes(event.type)) && (reservation === undefined || event.reservationId === reservation),
    );
    for (const event of wanted) {
      output.jsonLine(toJson(EventSchema, event));
      output.print(eventLine(event, output.colors));
    }
  };
  const keep = async (cursor: string) => {
    if (path !== undefined) await writeCursor(path, cursor);
  };

  let start: FeedStart = now === true ? { fromNow: true } : { cursor: path === undefined ? "" : await readCursor(path) };
  if ("cursor" in start) {
    for (let { cursor } = start, hasMore = true; hasMore; ) {
      const page = await client.custody.listEvents({ pageSize, cursor, ...(cursor === "" && rangeOf(options)) });
      print(page.events);
      await keep(page.nextCursor);
      ({ nextCursor: cursor, hasMore } = page);
      start = { cursor };
    }
  }
  if (follow !== true) return;
  await followFeed(client, {
    from: start,
    signal: session.io.interruption(),
    async onEvents(events, cursor) {
      print(events);
      await keep(cursor);
    },
    onLost: (error) => output.note(`The stream was lost (${error.rawMessage}), and is opened again.`),
  });
}

function rangeOf({ from, to }: ListOptions) {
  if ((from ?? to) === undefined) return {};
  return { range: { ...(from && { from: timestampFromDate(from) }), ...(to && { to: timestampFromDate(to) }) } };
}
