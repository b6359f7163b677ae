import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type DeviceEvent, DeviceEventSchema } from "@petak/protocol";
import type { Facts, Numbers, Transaction } from "./values.ts";

/** Content of a report. The outbox adds number, id, time and signature. */
export type Report = Omit<
  MessageInitShape<typeof DeviceEventSchema>,
  "$typeName" | "sequence" | "deviceEventId" | "occurredAt" | "signature"
>;

/** Signs a report: 64 bytes. Ignores its present signature. */
export type SignReport = (event: DeviceEvent) => Uint8Array<ArrayBuffer>;

/** Reports numbered from 1 without a gap, across restarts and crashes. */
export interface Outbox {
  /** Sets the signer of new reports, and of unsigned reports when they are read. */
  signWith(sign: SignReport): void;
  /** Appends a report with the next number. */
  append(report: Report, occurredAtMs: number): DeviceEvent;
  /** The number of the last report. 0: none. */
  lastSequence(): number;
  /** The number of the last report that the gateway has recorded. 0: none. */
  acknowledgedSequence(): number;
  /** The reports after a number, in order, at most `limit`. Also empty if they have been deleted. */
  after(sequence: number, limit: number): DeviceEvent[];
  /** Records that the gateway has recorded the reports up to a number. */
  acknowledge(sequence: number): void;
  /**
   * Continues the sequence after the last report that the gateway has recorded under a key of the agent. The gateway numbers reports per key, so under a new key
   * the unacknowledged reports are renumbered. Under the same key nothing changes, unless the gateway has more reports than the store ever wrote: then the store
   * is an old copy, and the gateway already has its reports.
   */
  continueAfter(keyId: string, sequence: number): void;
}

/** Number of acknowledged reports that are retained, for a gateway that lost its last writes in a crash and asks for them again. */
const retainedReports = 1000;

/** The protocol's range of `occurred_at`, in ms: 2000-01-01 to 2200-01-01. */
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
          // A lost clock must not produce a report that the gateway rejects.
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
        remove.run(sequence - retainedReports);
      });
    },
    continueAfter(keyId, sequence) {
      const isNewKey = facts.readText("sequence_key") !== keyId;
      if (!isNewKey && sequence <= last()) return;
      transaction(() => {
        const unseen = isNewKey ? after(acknowledged(), Number.MAX_SAFE_INTEGER) : [];
        clear.run();
        facts.writeText("sequence_key", keyId);
        numbers.write("last_sequence", sequence);
        numbers.write("acknowledged_sequence", sequence);
        for (const [index, event] of unseen.entries()) {
          // The old signature covers the old number and was made by the old key.
          write(signed({ ...event, sequence: BigInt(sequence + index + 1), signature: new Uint8Array() }));
        }
      });
    },
  };
}
