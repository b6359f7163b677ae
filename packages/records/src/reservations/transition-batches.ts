import type { Region } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";
import { isStoreFailure, noteKey, type ScriptArgument } from "@petak/redis";
import { GrowingBytes } from "../encoding/growing-bytes.ts";
import { responseTtlMs, type StoredResponse } from "../idempotency/stored-response.ts";
import { createScript } from "../lua/create-script.ts";
import { type DeviceReport, reportLink } from "../sites/device-report.ts";
import { createRegionBatches } from "./region-batches.ts";

/** A transition of one reservation in the form in which it is written. Undefined means unchanged. */
export interface PackedTransition {
  handle: string;
  /** The revision that the caller read. */
  revision: number;
  /** Head and message to write. */
  record: Buffer | undefined;
  siteNumber: number;
  cell: string;
  classIndex: number;
  heldChange: number;
  occupiedChange: number;
  /** When the parcel was deposited or collected, in ms since 1970. */
  movedAtMs: number | undefined;
  /** In ms since 1970. Null: none. */
  deadlineMs: number | null | undefined;
  /** Whether the site's agent may know the reservation. */
  isAllowed: boolean | undefined;
  /** A PIN entry or a new end of validity, see pin-entry.ts. Null: none. */
  pin: Uint8Array | null | undefined;
  /** The device's report. */
  report: Pick<DeviceReport, "keyId" | "sequence" | "hash" | "previousHash" | "fence"> | undefined;
  /** The named compartment that the reservation gives up. "": none. */
  freedCompartment: string;
  /** The named compartment that it gets. "": none. */
  takenCompartment: string;
  /** Whether the parcel is overdue. */
  isOverdue: boolean | undefined;
  leavesQueue: boolean;
  /** The participant in its network, if the reservation is HELD. "": it is not. */
  holder: string;
  /** Whether it is HELD no longer. */
  endsHold: boolean;
  /** The most events that the reservation may have afterwards. 0: any number. */
  eventsMax: number;
  /** The gateway's time, in ms since 1970. Required if a place may become free. */
  nowMs: number | undefined;
  events: readonly Buffer[];
  response: StoredResponse | undefined;
}

/** The result of a transition: a tag of lua/apply-transitions.lua, and its value. */
export interface PackedOutcome {
  tag: string;
  value: Buffer | number;
}

/** Applies a transition in a batch with others of its region. */
export type TransitionBatches = (region: Region, transition: PackedTransition) => Promise<PackedOutcome>;

/** The most transitions of one batch. The script blocks the server for about 20 µs for each. */
const batchMax = 32;

/** The most events of one transition, which usually has one or two: their number is written as u8. */
const eventsMax = 255;

const scriptName = "apply-transitions";
const script = createScript(scriptName, { isSentAtOnce: true });

/** Creates the batches, see {@link createRegionBatches}. */
export function createTransitionBatches(redis: RedisConnection, keys: Keys): TransitionBatches {
  const bytes = new GrowingBytes();
  const batches = createRegionBatches<PackedTransition, PackedOutcome>({
    script: scriptName,
    batchMax,
    async run(region, batch) {
      bytes.reset();
      const scriptKeys = [
        keys.deadlines(region),
        keys.events(region),
        keys.overdue(region),
        keys.waiting(region),
        keys.held(region),
        keys.siteShortages(region),
      ];
      const records: ScriptArgument[] = [];
      for (const transition of batch) {
        scriptKeys.push(...keysOf(keys, region, transition));
        records.push(transition.record ?? "", bufferOf(transition.response?.bytes), ...transition.events);
        bytes.afterLength8(() => writeChanges(bytes, transition));
      }
      const [, ...replies] = await script(redis, scriptKeys, [responseTtlMs, bytes.copy(), ...records]);
      return batch.map((_, index) => outcomeOf(replies, 2 * index));
    },
  });
  return async (region, transition) => {
    const { length } = transition.events;
    if (length > eventsMax) throw new RangeError(`a transition with ${length} events, at most ${eventsMax}`);
    noteKey(redis, keys.deadlines(region));
    return await batches(region, transition);
  };
}

function keysOf(keys: Keys, region: Region, { handle, siteNumber, cell, report, response }: PackedTransition): string[] {
  const versionKey = keys.siteAllowedVersion(region, siteNumber);
  return [
    // Without a response or a report the script gets a short key of the same slot in place of theirs.
    response === undefined ? versionKey : keys.storedResponse(region, response.participantId, response.requestId),
    keys.reservation(region, handle),
    keys.siteCounts(region, cell),
    keys.block(region, cell),
    keys.siteAllowed(region, siteNumber),
    versionKey,
    keys.sitePins(region, siteNumber),
    report === undefined ? versionKey : keys.agentWatermark(region, siteNumber, report.keyId),
    keys.siteCompartments(region, siteNumber),
  ];
}

/** Writes a transition's changes in the form that lua/apply-transitions.lua reads. */
function writeChanges(bytes: GrowingBytes, transition: PackedTransition): void {
  bytes.u8(transition.events.length);
  writeShort(bytes, transition.response?.fingerprint);
  bytes.u32(transition.revision);
  bytes.latin1(transition.handle);
  bytes.latin1(transition.deadlineMs === undefined ? "=" : transition.deadlineMs === null ? "-" : "+");
  bytes.u48(transition.deadlineMs ?? 0);
  bytes.u32(transition.siteNumber);
  bytes.u8(transition.classIndex);
  bytes.i8(transition.heldChange);
  bytes.i8(transition.occupiedChange);
  bytes.latin1(changeSign(transition.isAllowed));
  writeShort(bytes, transition.pin === null ? noPin : transition.pin);
  bytes.double(transition.report?.sequence ?? 0);
  writeShort(bytes, transition.report && reportLink(transition.report));
  bytes.u48(transition.movedAtMs ?? 0);
  writeShort(bytes, Buffer.from(transition.freedCompartment));
  writeShort(bytes, Buffer.from(transition.takenCompartment));
  bytes.latin1(changeSign(transition.isOverdue));
  bytes.u8(transition.leavesQueue ? 1 : 0);
  bytes.u48(transition.nowMs ?? 0);
  bytes.u8(transition.holder.length);
  bytes.latin1(transition.holder);
  bytes.u8(transition.endsHold ? 1 : 0);
  bytes.u32(transition.eventsMax);
}

const noPin = Buffer.from("-");

function changeSign(isSo: boolean | undefined): string {
  return isSo === undefined ? "=" : isSo ? "+" : "-";
}

function writeShort(bytes: GrowingBytes, value: Uint8Array | undefined): void {
  bytes.afterLength8(() => {
    if (value !== undefined) bytes.bytes(value);
  });
}

function bufferOf(bytes: Uint8Array | undefined): Buffer | string {
  return bytes === undefined ? "" : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function outcomeOf(replies: readonly (Buffer | number)[], at: number): PackedOutcome | Error {
  const tag = String(replies[at]);
  const value = replies[at + 1] as Buffer | number;
  if (tag !== "failed") return { tag, value };
  const failure = new Error(value.toString());
  return isStoreFailure(failure) ? failure : new Error(`a transition was not applied: ${failure.message}`);
}
