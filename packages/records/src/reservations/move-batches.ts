import type { Region } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";
import { isStoreFailure, noteKey, type ScriptArgument } from "@petak/redis";
import { GrowingBytes } from "../bytes/growing-bytes.ts";
import { createScript } from "../create-script.ts";
import { type Answer, answerTtlMs } from "./answer.ts";
import { createRegionSteps } from "./region-steps.ts";

/** A move of one reservation, as it is written. */
export interface PackedMove {
  handle: string;
  /** Revision that the caller read, and head and message to write; undefined: as it was. */
  revision: number;
  record: Buffer | undefined;
  siteNumber: number;
  cell: string;
  classIndex: number;
  heldChange: number;
  occupiedChange: number;
  /** When the parcel went in or came out, in ms. */
  movedAtMs: number | undefined;
  /** In ms; null: none; undefined: as it was. */
  deadlineMs: number | null | undefined;
  isAllowed: boolean | undefined;
  /** An entry, another end, see pin-entry.ts, or null: none any more; undefined: as it was. */
  pin: Uint8Array | null | undefined;
  /** The device's key and the number of its report. */
  report: { keyId: string; sequence: number } | undefined;
  /** The compartment that it no longer has by name, and the one that it has from now on; empty: none. */
  nameBefore: string;
  nameAfter: string;
  /** Whether its parcel is overdue from now on; undefined: as it was. */
  isOverdue: boolean | undefined;
  waitsNoMore: boolean;
  /** The gateway's time, in ms, where a place may become free. */
  nowMs: number | undefined;
  events: readonly Buffer[];
  answer: Answer | undefined;
}

/** What became of a move: a tag of lua/move-many.lua, and the value that goes with it. */
export interface MoveOutcome {
  tag: string;
  value: Buffer | number;
}

/** Moves reservations on, those that come together in one step. */
export type MoveBatches = (region: Region, move: PackedMove) => Promise<MoveOutcome>;

/** Moves that are made in one step. The server does nothing else meanwhile, some 20 µs for each. */
const movesMax = 32;

/** Events of one move at most: their number has eight bits. A move has one or two. */
const eventsMax = 255;

const script = createScript("move-many", { isSentAtOnce: true });

/** Makes the moves of each region that come in one turn of the event loop, and while earlier ones are under way, in one step. */
export function createMoveBatches(redis: RedisConnection, keys: Keys): MoveBatches {
  const bytes = new GrowingBytes();
  const steps = createRegionSteps<PackedMove, MoveOutcome>({
    atOnce: movesMax,
    async run(region, batch) {
      bytes.reset();
      const scriptKeys = [keys.deadlines(region), keys.events(region), keys.overdue(region), keys.waiting(region)];
      const records: ScriptArgument[] = [];
      for (const move of batch) {
        scriptKeys.push(...keysOf(keys, region, move));
        records.push(move.record ?? "", bufferOf(move.answer?.bytes), ...move.events);
        bytes.afterLength8(() => writeChanges(bytes, move));
      }
      const [, ...replies] = await script(redis, scriptKeys, [answerTtlMs, bytes.copy(), ...records]);
      return batch.map((_, index) => outcomeOf(replies, 2 * index));
    },
  });
  return async (region, move) => {
    if (move.events.length > eventsMax) throw new RangeError(`a move with ${move.events.length} events, at most ${eventsMax}`);
    noteKey(redis, keys.deadlines(region));
    return await steps(region, move);
  };
}

function keysOf(keys: Keys, region: Region, { handle, siteNumber, cell, report, answer }: PackedMove): string[] {
  const versionKey = keys.siteAllowedVersion(region, siteNumber);
  return [
    // Where no answer or no report is recorded the script needs no such key: it reads a short one of the same slot.
    answer === undefined ? versionKey : keys.storedResponse(region, answer.participantId, answer.requestId),
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

/** Writes what changes as lua/move-many.lua reads it. */
function writeChanges(bytes: GrowingBytes, move: PackedMove): void {
  bytes.u8(move.events.length);
  writeShort(bytes, move.answer?.fingerprint);
  bytes.u32(move.revision);
  bytes.latin1(move.handle);
  bytes.latin1(move.deadlineMs === undefined ? "=" : move.deadlineMs === null ? "-" : "+");
  bytes.u48(move.deadlineMs ?? 0);
  bytes.u32(move.siteNumber);
  bytes.u8(move.classIndex);
  bytes.i8(move.heldChange);
  bytes.i8(move.occupiedChange);
  bytes.latin1(changeSign(move.isAllowed));
  writeShort(bytes, move.pin === null ? noPin : move.pin);
  bytes.double(move.report?.sequence ?? 0);
  bytes.u48(move.movedAtMs ?? 0);
  writeShort(bytes, Buffer.from(move.nameBefore));
  writeShort(bytes, Buffer.from(move.nameAfter));
  bytes.latin1(changeSign(move.isOverdue));
  bytes.u8(move.waitsNoMore ? 1 : 0);
  bytes.u48(move.nowMs ?? 0);
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

function outcomeOf(replies: readonly (Buffer | number)[], at: number): MoveOutcome | Error {
  const tag = String(replies[at]);
  const value = replies[at + 1] as Buffer | number;
  if (tag !== "failed") return { tag, value };
  const failure = new Error(value.toString());
  return isStoreFailure(failure) ? failure : new Error(`a reservation was not moved on: ${failure.message}`);
}
