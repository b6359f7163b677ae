import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type DeviceEvent, DeviceEventSchema } from "@petak/protocol";
import type { Numbers, Transaction } from "./values.ts";

/** What is reported. Number, id and time are the outbox's to add. */
export type Report = Omit<MessageInitShape<typeof DeviceEventSchema>, "$typeName" | "sequence" | "deviceEventId" | "occurredAt">;

/** Reports in the order of their numbers, from 1, without a gap, over restarts and crashes. */
export interface Outbox {
  /** Adds a report. Its number is one more than the last one's. */
  append(report: Report, occurredAtMs: number): DeviceEvent;
  /** The number of the last report. 0: none. */
  lastSequence(): number;
  /** The number of the last report that the gateway has recorded. 0: none. */
  acknowledgedSequence(): number;
  /** The reports after a number, in order, at most `limit`. Empty too where they are kept no longer. */
  after(sequence: number, limit: number): DeviceEvent[];
  /** Notes that the gateway has recorded the reports up to a number. */
  acknowledge(sequence: number): void;
  /**
   * Lets the sequence go on after the last report that the gateway has of this site. At the first boot of a store its reports, which nobody
   * has seen yet, get the numbers that follow: the site may have had another store before. Later it acts only where the gateway has more
   * than this store ever wrote, which is then an old copy of the site's true one; what it holds is the gateway's already.
   */
  join(sequence: number): void;
}

/**
 * So many reports are kept after they were acknowledged, for a gateway that lost the last moments before a crash and asks for them again.
 */
const keptReports = 1000;

/** What the protocol allows for `occurred_at`, in ms: 2000-01-01 to 2200-01-01. */
const earliestMs = 946_684_800_000;
const latestMs = 7_258_118_400_000;

/** Makes the outbox of a store. */
export function createOutbox(database: DatabaseSync, numbers: Numbers, transaction: Transaction): Outbox {
  const insert = database.prepare("INSERT INTO outbox (sequence, message) VALUES (?, ?)");
  const select = database.prepare("SELECT message FROM outbox WHERE sequence > ? ORDER BY sequence LIMIT ?");
  const remove = database.prepare("DELETE FROM outbox WHERE sequence <= ?");
  const clear = database.prepare("DELETE FROM outbox");
  const last = () => numbers.read("last_sequence") ?? 0;
  const acknowledged = () => numbers.read("acknowledged_sequence") ?? 0;

  function write(event: DeviceEvent): void {
    insert.run(Number(event.sequence), toBinary(DeviceEventSchema, event));
    numbers.write("last_sequence", Number(event.sequence));
  }

  function after(sequence: number, limit: number): DeviceEvent[] {
    const rows = select.all(sequence, limit) as { message: Uint8Array }[];
    const events = rows.map(({ message }) => fromBinary(DeviceEventSchema, message));
    return events[0] === undefined || Number(events[0].sequence) === sequence + 1 ? events : [];
  }

  return {
    append(report, occurredAtMs) {
      const event = create(DeviceEventSchema, {
        ...report,
        sequence: BigInt(last() + 1),
        deviceEventId: randomUUID(),
        // A clock that was lost must not make a report that no gateway takes.
        occurredAt: timestampFromMs(Math.min(latestMs, Math.max(earliestMs, occurredAtMs))),
      });
      transaction(() => write(event));
      return event;
    },
    lastSequence: last,
    acknowledgedSequence: acknowledged,
    after,
    acknowledge(sequence) {
      if (sequence <= acknowledged()) return;
      transaction(() => {
        numbers.write("acknowledged_sequence", sequence);
        remove.run(sequence - keptReports);
      });
    },
    join(sequence) {
      const isNew = numbers.read("has_joined") === undefined;
      if (!isNew && sequence <= last()) return;
      transaction(() => {
        const unseen = isNew ? after(0, Number.MAX_SAFE_INTEGER) : [];
        clear.run();
        numbers.write("has_joined", 1);
        numbers.write("last_sequence", sequence);
        numbers.write("acknowledged_sequence", sequence);
        for (const [index, event] of unseen.entries()) write({ ...event, sequence: BigInt(sequence + index + 1) });
      });
    },
  };
}
