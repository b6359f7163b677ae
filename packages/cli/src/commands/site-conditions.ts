import { create, toJson } from "@bufbuild/protobuf";
import { timestampDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Event, EventType, ListEventsResponseSchema } from "@petak/protocol";
import { type Command, InvalidArgumentError } from "commander";
import { describeCondition } from "../chain/site-condition.ts";
import type { CommandModule } from "../command.ts";
import type { Session } from "../session.ts";
import { idOf } from "./id-argument.ts";

/** Events of a page, the protocol's greatest. */
const pageSize = 1000;

/** `petak agents conditions`: what was wrong with the devices of a site. */
export const registerSiteConditions: CommandModule = (command, context) => {
  command
    .command("conditions")
    .description("show what is or was wrong with the device of a site: its clock, its disk, its store or its link")
    .argument("<site>", "site_…", idOf("site"))
    .option("--days <count>", "how far back to look (1 to 90)", parseDays, 7)
    .addHelpText("after", "\nExample: what a terminal said since yesterday:\n  petak agents conditions site_… --days 1")
    .action(async (siteId: string, { days }: { days: number }, running: Command) => {
      await showConditions(context.session(running), siteId, days);
    });
};

async function showConditions(session: Session, siteId: string, days: number): Promise<void> {
  const { output, io } = session;
  const { client } = await session.connect();
  const range = { from: timestampFromMs(io.now() - days * 86_400_000) };
  const events: Event[] = [];
  for (let cursor = "", hasMore = true; hasMore; ) {
    const page = await client.custody.listEvents(cursor === "" ? { range, pageSize } : { cursor, pageSize });
    events.push(...page.events.filter((event) => event.type === EventType.SITE_CONDITION && event.siteId === siteId));
    cursor = page.nextCursor;
    hasMore = page.hasMore;
  }
  output.json({
    events: (toJson(ListEventsResponseSchema, create(ListEventsResponseSchema, { events })) as { events?: object[] }).events ?? [],
  });
  output.table(
    [{ title: "RECORDED" }, { title: "TOLD BY" }, { title: "WHAT", flexible: true }, { title: "DEVICE", paint: output.colors.cyan }],
    events.map(({ recordedAt, proof, siteCondition }) => [
      recordedAt === undefined ? "" : `${timestampDate(recordedAt).toISOString().slice(0, 16)}Z`,
      proof?.deviceSequence === 0n ? "alarm" : `report ${proof?.deviceSequence}`,
      siteCondition === undefined ? "" : describeCondition(siteCondition),
      proof?.agentKeyId ?? "",
    ]),
  );
  if (events.length === 0) output.print(output.colors.dim(`Nothing in ${days} ${days === 1 ? "day" : "days"}.`));
}

function parseDays(text: string): number {
  const days = Number(text);
  if (/^\d{1,2}$/.test(text) && days >= 1 && days <= 90) return days;
  throw new InvalidArgumentError("write a whole number from 1 to 90.");
}
