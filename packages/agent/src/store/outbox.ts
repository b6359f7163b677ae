import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type DeviceEvent, DeviceEventSchema } from "@petak/protocol";
import type { Facts, Numbers, Transaction } from "./values.ts";

/** What is reported. Number, id, time and signature are the outbox's to add. */
export type Report = Omit<
  MessageInitShape<typeof DeviceEventSchema>,
  "$typeName" | "sequence" | "deviceEventId" | "occurredAt" | "signature"
>;

/** Signs a report as it is, but for its signature: 64 bytes. */
export type SignReport = (event: DeviceEvent) => Uint8Array<ArrayBuffer>;

/** Reports in the order of their numbers, from 1, without a gap, over restarts and crashes. */
export interface Outbox {
  /** Says who signs: the reports that are written from now on, and when they are read, those that are not signed. */
  signWith(sign: SignReport): void;
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
   * Lets the sequence go on after the last report that the gateway has by a key of the agent's. Under a key that is new to the store, the
   * reports that nobody has acknowledged get the numbers that follow: the gateway counts by key. Under the key it had, it acts only where
   * the gateway has more than the store ever wrote, which is then an old copy of the true one; what it holds is the gateway's already.
   */
  join(keyId: string, sequence: number): void;
}

/**
 * So many reports are kept after they were acknowledged, for a gateway that lost the last moments before a crash and asks for them again.
 */
const keptReports = 1000;

/** What the protocol allows for `occurred_at`, in ms: 2000-01-01 to 2200-01-01. */
const earliestMs = 946_684_800_000;
const latestMs = 7_258_118_400_000;

/** Makes the outbox of a store. */
export function createOutbox(database: DatabaseSync, values: { facts: Facts; numbers: Numbers; transaction: Transaction }): Outbox {
  const { facts, numbers, transaction } = values;
  const insert = database.prepare("INSERT INTO outbox (sequence, message) VALUES (?, ?)");
  const select = database.prepare("SELECT message FROM outbox WHERE sequence > ? ORDER BY sequence LIMIT ?");
  const remove = database.prepare("DELETE FROM outbox WHERE sequence <= ?");
  const clear = database.prepare("DELETE FROM outbox");
  const last = () => numbers.read("last_sequence") ?? 0;
  const acknowledged = () => numbers.read("acknowledged_sequence") ?? 0;

  let sign: SignReport | undefined;

  function signed(event: DeviceEvent): DeviceEvent {
    return sign === undefined ? event : { ...event, signature: sign(event) };
  }

  function write(event: DeviceEvent): void {
    insert.run(Number(event.sequence), toBinary(DeviceEventSchema, event));
    numbers.write("last_sequence", Number(event.sequence));
  }

  function after(sequence: number, limit: number): DeviceEvent[] {
    const rows = select.all(sequence, limit) as { message: Uint8Array }[];
    const events = rows.map(({ message }) => {
      const event = fromBinary(DeviceEventSchema, message);
      return event.signature.length === 0 ? signed(event) : event;
    });
    return events[0] === undefined || Number(events[0].sequence) === sequence + 1 ? events : [];
  }

  return {
    signWith(signer) {
      sign = signer;
    },
    append(report, occurredAtMs) {
      const event = signed(
        create(DeviceEventSchema, {
          ...report,
          sequence: BigInt(last() + 1),
          deviceEventId: randomUUID(),
          // A clock that was lost must not make a report that no gateway takes.
          occurredAt: timestampFromMs(Math.min(latestMs, Math.max(earliestMs, occurredAtMs))),
        }),
      );
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
    join(keyId, sequence) {
      const isNewKey = facts.readText("sequence_key") !== keyId;
      if (!isNewKey && sequence <= last()) return;
      transaction(() => {
        const unseen = isNewKey ? after(acknowledged(), Number.MAX_SAFE_INTEGER) : [];
        clear.run();
        facts.writeText("sequence_key", keyId);
        numbers.write("last_sequence", sequence);
        numbers.write("acknowledged_sequence", sequence);
        for (const [index, event] of unseen.entries()) {
          // The signature is over the number, by the key before.
          write(signed({ ...event, sequence: BigInt(sequence + index + 1), signature: new Uint8Array() }));
        }
      });
    },
  };
}
