import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { reportChainStart } from "@petak/credential";
import { type DeviceEvent, DeviceEventSchema } from "@petak/protocol";
import { reportTime } from "./report-time.ts";
import type { Facts, Numbers, Transaction } from "./values.ts";

/** Content of a report. The outbox adds number, id, time and signature. */
export type Report = Omit<
  MessageInitShape<typeof DeviceEventSchema>,
  "$typeName" | "sequence" | "deviceEventId" | "occurredAt" | "signature" | "previousHash"
>;

/** Signs the reports of one key. Ignores their present signatures. */
export interface ReportSigner {
  /** The signature: 64 bytes. */
  sign(event: DeviceEvent): Uint8Array<ArrayBuffer>;
  /** The hash, by which the next report names this one: 32 bytes. */
  hash(event: DeviceEvent): Uint8Array<ArrayBuffer>;
}

/** The last report, as the gateway compares it with its record. */
export interface LastReport {
  sequence: number;
  /** Its hash: 32 bytes. Empty: reports are not chained, or the store has never known the gateway under the key. */
  hash: Uint8Array<ArrayBuffer>;
}

/** How far the gateway has recorded an agent's reports. */
export interface RecordedReports {
  /** The number of the last one. */
  sequence: number;
  /** Its hash: 32 bytes. All 0: the gateway does not know it, or there is none. Empty: the gateway does not know of hashes. */
  hash: Uint8Array;
}

/** Reports numbered from 1 without a gap, across restarts and crashes. */
export interface Outbox {
  /** Sets the signer of new reports, and of unsigned reports when they are read. */
  signWith(signer: ReportSigner): void;
  /** Sets whether signed reports name the hash of the one before them from now on. Gateways of earlier releases do not accept those that do. */
  setChained(isChained: boolean): void;
  /** Whether reports are chained. Gateways that do not chain them know no reports about the device itself either. */
  isChained(): boolean;
  /** Appends a report with the next number. */
  append(report: Report, occurredAtMs: number): DeviceEvent;
  /** The number of the last report. 0: none. */
  lastSequence(): number;
  /** The number of the last report that has been deleted. 0: none. */
  deletedSequence(): number;
  /** The last report. @param keyId the agent's key */
  last(keyId: string): LastReport;
  /** The number of the last report that the gateway has recorded. 0: none. */
  acknowledgedSequence(): number;
  /** The reports after a number, in order, at most `limit`. Also empty if they have been deleted. */
  after(sequence: number, limit: number): DeviceEvent[];
  /** Records that the gateway has recorded the reports up to a number. */
  acknowledge(sequence: number): void;
  /** Whether the gateway has recorded another report of a key than the outbox has under its number. False where one of them is not known. */
  isOther(keyId: string, recorded: RecordedReports): boolean;
  /**
   * Continues the sequence after the last report that the gateway has recorded under a key of the agent. The gateway numbers reports per key, so under a new key
   * the unacknowledged reports are renumbered. So they are if the gateway has recorded more reports than the store ever wrote, which then is of an earlier time.
   * Otherwise nothing changes.
   *
   * @param isBack the agent was refused, and goes on by its operator's word. Another one with its key may have reported meanwhile, so the unacknowledged reports
   *   are renumbered as under a new key
   */
  continueAfter(keyId: string, recorded: RecordedReports, isBack?: boolean): void;
}

/** Number of acknowledged reports that are retained, for a gateway that lost its last writes in a crash and asks for them again. */
const retainedReports = 1000;

/** Reports that are in memory at once while they get other numbers. */
const renumberedTogether = 500;

/** Makes the outbox of a store. */
export function createOutbox(database: DatabaseSync, values: { facts: Facts; numbers: Numbers; transaction: Transaction }): Outbox {
  const { facts, numbers, transaction } = values;
  const insert = database.prepare("INSERT INTO outbox (sequence, message) VALUES (?, ?)");
  const select = database.prepare("SELECT message FROM outbox WHERE sequence > ? ORDER BY sequence LIMIT ?");
  const selectFirst = database.prepare("SELECT MIN(sequence) AS first FROM outbox");
  const selectOne = database.prepare("SELECT message FROM outbox WHERE sequence = ?");
  const remove = database.prepare("DELETE FROM outbox WHERE sequence <= ?");
  // Reports that get other numbers have negative ones meanwhile.
  const setAside = database.prepare("UPDATE outbox SET sequence = -sequence WHERE sequence > ?");
  const clear = database.prepare("DELETE FROM outbox WHERE sequence >= 0");
  const selectAside = database.prepare("SELECT message FROM outbox WHERE sequence < 0 ORDER BY sequence DESC LIMIT ?");
  const removeAside = database.prepare("DELETE FROM outbox WHERE sequence < 0 AND sequence >= ?");
  const last = () => numbers.read("last_sequence") ?? 0;
  const acknowledged = () => numbers.read("acknowledged_sequence") ?? 0;

  let signer: ReportSigner | undefined;

  function signed(event: DeviceEvent): DeviceEvent {
    return signer === undefined ? event : { ...event, signature: signer.sign(event) };
  }

  /** The hash of a report. Undefined: it has been deleted and is not the one after which the sequence was continued, or reports are not chained. */
  function hashOf(sequence: number): Uint8Array<ArrayBuffer> | undefined {
    if (signer === undefined) return undefined;
    const row = selectOne.get(sequence) as { message: Uint8Array } | undefined;
    if (row !== undefined) return signer.hash(fromBinary(DeviceEventSchema, row.message));
    if (sequence === 0) return new Uint8Array(reportChainStart);
    const start = facts.read("chain_start");
    return start !== undefined && numbers.read("chain_start_sequence") === sequence ? new Uint8Array(start) : undefined;
  }

  function beginChain({ sequence, hash }: RecordedReports): void {
    facts.write("chain_start", hash.length === 0 ? reportChainStart : hash);
    numbers.write("chain_start_sequence", sequence);
  }

  const isChained = () => signer !== undefined && numbers.read("is_chained") === 1;

  /** A report with the next number. Of an agent that does not know what its last report was, the chain begins with it. */
  function next(event: DeviceEvent): DeviceEvent {
    const previousHash = isChained() ? (hashOf(last()) ?? new Uint8Array(reportChainStart)) : new Uint8Array();
    // A signature that it has covers another number and was made by another key.
    return signed({ ...event, sequence: BigInt(last() + 1), previousHash, signature: new Uint8Array() });
  }

  function write(event: DeviceEvent): void {
    insert.run(Number(event.sequence), toBinary(DeviceEventSchema, event));
    numbers.write("last_sequence", Number(event.sequence));
  }

  /** Appends the reports that were set aside, in their order: some at a time, since there may be weeks of them. */
  function renumberAside(): void {
    for (;;) {
      const rows = selectAside.all(renumberedTogether) as { message: Uint8Array }[];
      const events = rows.map(({ message }) => fromBinary(DeviceEventSchema, message));
      const lastOfThem = events.at(-1);
      if (lastOfThem === undefined) return;
      removeAside.run(-Number(lastOfThem.sequence));
      for (const event of events) write(next(event));
    }
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
    signWith(given) {
      signer = given;
    },
    setChained(isWanted) {
      if (isWanted !== (numbers.read("is_chained") === 1)) numbers.write("is_chained", isWanted ? 1 : 0);
    },
    isChained,
    append(report, occurredAtMs) {
      return transaction(() => {
        const event = next(create(DeviceEventSchema, { ...report, deviceEventId: randomUUID(), occurredAt: reportTime(occurredAtMs) }));
        write(event);
        return event;
      });
    },
    lastSequence: last,
    deletedSequence() {
      const { first } = selectFirst.get() as { first: number | null };
      return first === null ? last() : first - 1;
    },
    last(keyId) {
      const isKnown = isChained() && facts.readText("sequence_key") === keyId;
      return { sequence: last(), hash: (isKnown && hashOf(last())) || new Uint8Array() };
    },
    isOther(keyId, { sequence, hash }) {
      const isComparable = hash.some((byte) => byte !== 0) && facts.readText("sequence_key") === keyId;
      const own = isComparable ? hashOf(sequence) : undefined;
      return own !== undefined && Buffer.compare(own, hash) !== 0;
    },
    acknowledgedSequence: acknowledged,
    after,
    acknowledge(sequence) {
      if (sequence <= acknowledged()) return;
      transaction(() => {
        numbers.write("acknowledged_sequence", sequence);
        remove.run(sequence - retainedReports);
      });
    },
    continueAfter(keyId, { sequence, hash }, isBack = false) {
      const isNewKey = isBack || facts.readText("sequence_key") !== keyId;
      if (!isNewKey && sequence <= last()) {
        // An earlier release has continued there, and did not write down how.
        if (sequence === last() && signer !== undefined && hashOf(sequence) === undefined)
          transaction(() => beginChain({ sequence, hash }));
        return;
      }
      transaction(() => {
        setAside.run(acknowledged());
        clear.run();
        facts.writeText("sequence_key", keyId);
        numbers.write("last_sequence", sequence);
        numbers.write("acknowledged_sequence", sequence);
        beginChain({ sequence, hash });
        renumberAside();
      });
    },
  };
}
