import type { DecodedBlock } from "@petak/allocator";
import { type IndexCache, isSlotMovedError, type SlotWriter } from "@petak/allocator";
import type { Region } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { noteKey, type ScriptArgument, type ScriptReply } from "@petak/redis";
import { GrowingBytes } from "../encoding/growing-bytes.ts";
import { decodeExhaustion, exhaustionBytes, type HoldExhaustion, type HoldLimits, writeHoldLimits } from "../encoding/hold-limits.ts";
import { responseTtlMs } from "../idempotency/stored-response.ts";
import { createScript } from "../lua/create-script.ts";
import { CandidateCells, type HoldCandidate, writeCandidates } from "./candidates.ts";
import { createRegionBatches } from "./region-batches.ts";

/** A hold that can be taken in a batch: soft, of a request that has got nothing before, with all candidates in one region. */
export interface PlainHold {
  handle: string;
  deadlineMs: number;
  /** The key of the request id's binding, which the script writes; or, if the id was bound just before, the key of the request's plan. */
  requestKey: string;
  /** The binding to write. "": the id was bound just before. */
  binding: string;
  /** The participant in its network, for which the hold is counted, and the limits on its holds. */
  sharer: string;
  limits: Readonly<HoldLimits>;
  /** The encoded reservation, without the parts that depend on the candidate. */
  reservation: Buffer;
  /** The encoded event, without the parts that depend on the candidate. */
  event: Buffer;
  /** At most {@link plainCandidatesMax}. */
  candidates: readonly HoldCandidate[];
}

/** No hold was taken. */
export interface NoHold {
  tag: "none";
  /** The limit on the participant's holds for which it did not get a free place. Undefined: no place was free. */
  exhaustion?: HoldExhaustion;
}

/**
 * The result of a plain hold: `held` it was taken; `none` no place was free, or the participant may hold no more where one was, and the request id is bound;
 * `alone` it must be taken outside a batch, and nothing was changed except that the request id may be bound.
 */
export type PlainOutcome = { tag: "held"; candidate: HoldCandidate; classIndex: number } | NoHold | { tag: "alone" };

/** Takes plain holds in batches. */
export interface HoldBatches {
  take(region: Region, hold: PlainHold): Promise<PlainOutcome>;
}

/** The most candidates of a plain hold. With these, the cells of one script can be numbered by a u8. */
export const plainCandidatesMax = 7;

/** The most holds of one batch. The script blocks the server for about 10 µs for each. */
const batchMax = 32;

const outcomeBytes = 4;
const heldOutcome = "H".charCodeAt(0);
const noneOutcome = "N".charCodeAt(0);
const aloneOutcome = "O".charCodeAt(0);
const exhaustedOutcome = "X".charCodeAt(0);
const brokenOutcome = "B".charCodeAt(0);

const scriptName = "hold-many";
const script = createScript(scriptName, { isSentAtOnce: true });

/** Creates the batches, see {@link createRegionBatches}. With a cache, holds are taken over its connections, and its blocks are updated. */
export function createHoldBatches(redis: RedisConnection, keys: Keys, siteIds: SiteIds, cache?: IndexCache): HoldBatches {
  const bytes = new GrowingBytes();
  const batches = createRegionBatches<PlainHold, PlainOutcome>({
    script: scriptName,
    batchMax,
    async run(region, batch) {
      const reply = await send(region, batch);
      let exhaustions = 0;
      return batch.map((hold, index) => {
        const at = index * outcomeBytes;
        if (reply.outcomes[at] === exhaustedOutcome) {
          return { tag: "none", exhaustion: decodeExhaustion(reply.exhaustions, exhaustionBytes * exhaustions++) };
        }
        return outcomeOf(hold, reply.outcomes, at) ?? new Error(`the counts of a site of region ${region} are invalid`);
      });
    },
  });

  async function send(region: Region, batch: readonly PlainHold[]): Promise<HoldsReply> {
    const scriptKeys = [keys.deadlines(region), keys.events(region), keys.held(region)];
    const cells = new CandidateCells();
    bytes.reset();
    for (const hold of batch) {
      scriptKeys.push(keys.reservation(region, hold.handle));
      writeHold(bytes, cells, hold, siteIds);
    }
    for (const hold of batch) scriptKeys.push(hold.requestKey);
    for (const cell of cells.cells) scriptKeys.push(keys.block(region, cell), keys.siteCounts(region, cell));
    const scriptArguments = [responseTtlMs, batch.length, bytes.copy()];
    const writer = cache?.slotWriterFor(keys.events(region));
    return (
      (await sendOver(writer, region, batch, scriptKeys, scriptArguments)) ??
      replyOf(await script(redis, scriptKeys, [...scriptArguments, ""]))
    );
  }

  /** Takes holds over a slot writer and updates the cache. Undefined if there is no writer or the slot has moved. */
  async function sendOver(
    writer: SlotWriter | undefined,
    region: Region,
    batch: readonly PlainHold[],
    scriptKeys: string[],
    scriptArguments: readonly ScriptArgument[],
  ): Promise<HoldsReply | undefined> {
    if (writer === undefined) return undefined;
    let reply: HoldsReply;
    try {
      reply = replyOf(await script(writer.connection, scriptKeys, [...scriptArguments, "1"]));
    } catch (error) {
      writer.forget(scriptKeys);
      if (!isSlotMovedError(error)) throw error;
      writer.releaseSlot();
      return undefined;
    }
    for (const [index, hold] of batch.entries()) amend(writer, region, hold, reply.outcomes, index * outcomeBytes);
    return reply;
  }

  function amend(writer: SlotWriter, region: Region, { candidates }: PlainHold, outcomes: Buffer, at: number): void {
    if (outcomes[at] !== heldOutcome) {
      if (outcomes[at] === noneOutcome) forgetOffers(writer, region, candidates);
      if (outcomes[at] !== brokenOutcome) return;
      writer.forget(candidates.map(({ cell }) => keys.block(region, cell)));
      return;
    }
    const place = (outcomes[at + 1] as number) - 1;
    if (place > 0) forgetOffers(writer, region, candidates.slice(0, place));
    const { cell, offset, siteNumber } = candidates[place] as HoldCandidate;
    writer.amend(keys.block(region, cell), (value) => {
      const block = value as DecodedBlock | null;
      const index = block?.indexAt(offset, siteNumber);
      if (index === undefined) return false;
      block?.setFreePlaces(index, outcomes[at + 2] as number, outcomes[at + 3] as number);
      return true;
    });
  }

  /**
   * Removes blocks from the cache that offer a place that was just refused. They are outdated, but the server's invalidation may not have arrived, and the next
   * search would find the same places again.
   */
  function forgetOffers(writer: SlotWriter, region: Region, refused: readonly HoldCandidate[]): void {
    for (const { cell, offset, siteNumber, classes } of refused) {
      const key = keys.block(region, cell);
      const block = cache?.peek(key) as DecodedBlock | null | undefined;
      const index = block?.indexAt(offset, siteNumber);
      if (index !== undefined && classes.some((place) => block?.freePlaces(index, place.index) !== 0)) writer.forget([key]);
    }
  }

  return {
    async take(region, hold) {
      noteKey(redis, keys.deadlines(region));
      return await batches(region, hold);
    },
  };
}

function writeHold(bytes: GrowingBytes, cells: CandidateCells, hold: PlainHold, siteIds: SiteIds): void {
  const { handle, deadlineMs, binding, sharer, limits, reservation, event, candidates } = hold;
  bytes.latin1(handle);
  bytes.u48(deadlineMs);
  bytes.u8(binding.length);
  bytes.latin1(binding);
  bytes.u8(sharer.length);
  bytes.latin1(sharer);
  writeHoldLimits(bytes, limits);
  bytes.u16(reservation.length);
  bytes.bytes(reservation);
  bytes.u16(event.length);
  bytes.bytes(event);
  bytes.afterLength16(() => writeCandidates(bytes, cells, candidates, { isHard: false, siteIds }));
}

/** Decodes the outcome of one hold. Undefined if the counts of its site are invalid. */
function outcomeOf({ candidates }: PlainHold, outcomes: Buffer, at: number): PlainOutcome | undefined {
  switch (outcomes[at]) {
    case heldOutcome: {
      const candidate = candidates[(outcomes[at + 1] as number) - 1] as HoldCandidate;
      return { tag: "held", candidate, classIndex: outcomes[at + 2] as number };
    }
    case noneOutcome:
      return { tag: "none" };
    case aloneOutcome:
      return { tag: "alone" };
    default:
      return undefined;
  }
}

/** The outcomes of a batch, and the exhausted limits of those that have one. */
interface HoldsReply {
  readonly outcomes: Buffer;
  readonly exhaustions: Buffer;
}

function replyOf([, outcomes, exhaustions]: ScriptReply): HoldsReply {
  return { outcomes: outcomes as Buffer, exhaustions: exhaustions as Buffer };
}
