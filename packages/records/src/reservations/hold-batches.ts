import type { DecodedBlock } from "@petak/allocator";
import { type IndexCache, isSlotMovedError, type SlotWriter } from "@petak/allocator";
import type { Region } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { noteKey, type ScriptArgument, type ScriptReply } from "@petak/redis";
import { GrowingBytes } from "../bytes/growing-bytes.ts";
import { createScript } from "../create-script.ts";
import { answerTtlMs } from "./answer.ts";
import { CandidateCells, type HoldCandidate, writeCandidates } from "./candidates.ts";
import { createRegionSteps } from "./region-steps.ts";

/** A hold that many can be taken with in one step: soft, of a request that has got nothing before, with all candidates in one region. */
export interface PlainHold {
  handle: string;
  deadlineMs: number;
  /** The key that ties the request id, and what it is tied to in the same step; or the key of its plan, and empty: it was tied just now. */
  requestKey: string;
  tie: string;
  /** Reservation and event, but for what depends on the candidate. */
  reservation: Buffer;
  event: Buffer;
  /** At most {@link plainCandidatesMax}. */
  candidates: readonly HoldCandidate[];
}

/**
 * What became of a plain hold: where it was taken; nothing was free, and its request id is tied; or it has to be taken by itself, and nothing was
 * done but perhaps to tie its request id.
 */
export type PlainOutcome = { tag: "held"; candidate: HoldCandidate; classIndex: number } | { tag: "none" } | { tag: "by itself" };

/** Takes plain holds, those that come together in one step. */
export interface HoldBatches {
  take(region: Region, hold: PlainHold): Promise<PlainOutcome>;
}

/** Candidates that a plain hold may have: with these a script's cells fit into the eight bits of their number. */
export const plainCandidatesMax = 7;

/** Holds that are taken in one step. The server does nothing else meanwhile, some 10 µs for each. */
const holdsMax = 32;

const outcomeBytes = 4;
const heldOutcome = "H".charCodeAt(0);
const noneOutcome = "N".charCodeAt(0);
const byItselfOutcome = "O".charCodeAt(0);
const brokenOutcome = "B".charCodeAt(0);

const script = createScript("hold-many", { isSentAtOnce: true });

/** Takes the holds of each region that come in one turn of the event loop, and while earlier ones are under way, in one step. */
export function createHoldBatches(redis: RedisConnection, keys: Keys, siteIds: SiteIds, cache?: IndexCache): HoldBatches {
  const bytes = new GrowingBytes();
  const steps = createRegionSteps<PlainHold, PlainOutcome>({
    atOnce: holdsMax,
    async run(region, batch) {
      const outcomes = await send(region, batch);
      return batch.map((hold, index) => {
        return outcomeOf(hold, outcomes, index * outcomeBytes) ?? new Error(`the counts of a site of region ${region} are broken`);
      });
    },
  });

  async function send(region: Region, batch: readonly PlainHold[]): Promise<Buffer> {
    const scriptKeys = [keys.deadlines(region), keys.events(region)];
    const cells = new CandidateCells();
    bytes.reset();
    for (const hold of batch) {
      scriptKeys.push(keys.reservation(region, hold.handle));
      writeHold(bytes, cells, hold, siteIds);
    }
    for (const hold of batch) scriptKeys.push(hold.requestKey);
    for (const cell of cells.cells) scriptKeys.push(keys.block(region, cell), keys.siteCounts(region, cell));
    const scriptArguments = [answerTtlMs, batch.length, bytes.copy()];
    const writer = cache?.slotWriterFor(keys.events(region));
    return (
      (await sendOver(writer, region, batch, scriptKeys, scriptArguments)) ??
      outcomesIn(await script(redis, scriptKeys, [...scriptArguments, ""]))
    );
  }

  /** Writes holds over a slot writer and updates the cache. Undefined if there is no writer or the slot was moved. */
  async function sendOver(
    writer: SlotWriter | undefined,
    region: Region,
    batch: readonly PlainHold[],
    scriptKeys: string[],
    scriptArguments: readonly ScriptArgument[],
  ): Promise<Buffer | undefined> {
    if (writer === undefined) return undefined;
    let outcomes: Buffer;
    try {
      outcomes = outcomesIn(await script(writer.connection, scriptKeys, [...scriptArguments, "1"]));
    } catch (error) {
      writer.forget(scriptKeys);
      if (!isSlotMovedError(error)) throw error;
      writer.releaseSlot();
      return undefined;
    }
    for (const [index, hold] of batch.entries()) amend(writer, region, hold, outcomes, index * outcomeBytes);
    return outcomes;
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
   * Forgets the blocks that offer what was just refused: they are older than the refusal, and the server's invalidation may still be on its way. The next
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
      return await steps(region, hold);
    },
  };
}

function writeHold(bytes: GrowingBytes, cells: CandidateCells, hold: PlainHold, siteIds: SiteIds): void {
  const { handle, deadlineMs, tie, reservation, event, candidates } = hold;
  bytes.latin1(handle);
  bytes.u48(deadlineMs);
  bytes.u8(tie.length);
  bytes.latin1(tie);
  bytes.u16(reservation.length);
  bytes.bytes(reservation);
  bytes.u16(event.length);
  bytes.bytes(event);
  bytes.afterLength16(() => writeCandidates(bytes, cells, candidates, { isHard: false, siteIds }));
}

/** What the script says of one hold; undefined where its site is broken. */
function outcomeOf({ candidates }: PlainHold, outcomes: Buffer, at: number): PlainOutcome | undefined {
  switch (outcomes[at]) {
    case heldOutcome: {
      const candidate = candidates[(outcomes[at + 1] as number) - 1] as HoldCandidate;
      return { tag: "held", candidate, classIndex: outcomes[at + 2] as number };
    }
    case noneOutcome:
      return { tag: "none" };
    case byItselfOutcome:
      return { tag: "by itself" };
    default:
      return undefined;
  }
}

function outcomesIn([, outcomes]: ScriptReply): Buffer {
  return outcomes as Buffer;
}
