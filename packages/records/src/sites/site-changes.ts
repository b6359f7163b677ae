import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type LiveReservations, type Region, type Site, SiteSchema } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { GrowingBytes } from "../encoding/growing-bytes.ts";
import { createScript } from "../lua/create-script.ts";

/** A change of a site's facts of which its live reservations have to be told. */
export interface SiteChangeDuty {
  before: Site;
  after: Site;
  /** What happens to reservations before their deposit: CANCEL, or anything else to keep them. */
  live: LiveReservations;
}

/** That a site has, or had, fewer usable places than it holds. */
export interface Shortage {
  /** When the report was observed that began it, in ms since 1970. 0: the last one ended it. */
  sinceMs: number;
  /** How many reservations of each size class have been told that they have no place, by the class's index; empty: none. */
  told: readonly number[];
}

/** A site with something of which its reservations have to be told. */
export interface PendingSite {
  siteId: string;
  /** The changes of its facts that are not told yet, oldest first. */
  duties: readonly SiteChangeDuty[];
  shortage: Shortage | undefined;
  /** Duties and shortage as stored, for {@link SiteChanges.settle}. */
  stored: { duties: Buffer; shortage: string };
}

/**
 * The duty to tell the live reservations of a site that it has changed, or that it has too few places for them. It is written in the step that changes the site or
 * its counts, and deleted once all have been told, so that a crash in between repeats the telling.
 */
export interface SiteChanges {
  /** Some sites of a region that are due at a time, in ms since 1970. Empty: none is. */
  pending(region: Region, nowMs: number): Promise<PendingSite[]>;
  /**
   * Deletes duties that were fulfilled; later ones stay. The site is due again {@link toldEveryMs} later.
   *
   * @param lacking how many reservations of each size class have been told that they have no place; empty: none
   * @param toldAtMs when the telling began, in ms since 1970; undefined: there was nothing to tell, and the site stays due
   */
  settle(pending: PendingSite, lacking: readonly number[], toldAtMs: number | undefined): Promise<void>;
  /** Puts a site off that could not be settled: it is due again {@link toldEveryMs} later. */
  putOff(siteId: string, triedAtMs: number): Promise<void>;
}

/** The most bytes of duties of one site: hundreds of changes. A site that changes faster than its reservations are told has to wait. */
export const dutiesMaxBytes = 256 * 1024;

/** How long a site's reservations are told nothing after they have been told something, in ms; what happens meanwhile is told as one then. */
export const toldEveryMs = 60_000;

/** How long the times are kept at which sites were told of, in ms, by the system's clock. */
const timesKeptMs = 3_600_000;

/** Sites with changes that are read at a time. */
const changedAtATime = 32;

/** Sites with shortages that are read at a time. Most of them have nothing new. */
const shortAtATime = 128;

const settleScript = createScript("settle-site-changes");

/** Stores duties in Redis. */
export function createSiteChanges(redis: RedisConnection, keys: Keys, siteIds: SiteIds): SiteChanges {
  async function settle(
    siteId: string,
    { duties, shortage }: PendingSite["stored"],
    then: string,
    atMs: number | undefined,
  ): Promise<void> {
    const { region, siteNumber } = siteIds.require(siteId);
    await settleScript(
      redis,
      [keys.siteChanges(region), keys.siteShortages(region), keys.sitesTold(region)],
      [siteNumber, duties, shortage, then, atMs ?? "", (atMs ?? 0) - toldEveryMs, timesKeptMs],
    );
  }

  return {
    async pending(region, nowMs) {
      const [changed, short] = await Promise.all([redis.hkeys(keys.siteChanges(region)), redis.hkeys(keys.siteShortages(region))]);
      if (changed.length + short.length === 0) return [];
      // A time in the future was written before the clock was set back.
      const told = new Set(await redis.zrangebyscore(keys.sitesTold(region), `(${nowMs - toldEveryMs}`, nowMs));
      const isDue = (number: string) => !told.has(number);
      // Shortages may last, and must not keep changes waiting.
      const numbers = [...new Set([...someOf(changed.filter(isDue), changedAtATime), ...someOf(short.filter(isDue), shortAtATime)])];
      if (numbers.length === 0) return [];
      const [duties, shortages] = await Promise.all([
        redis.hmgetBuffer(keys.siteChanges(region), ...numbers),
        redis.hmget(keys.siteShortages(region), ...numbers),
      ]);
      return numbers.map((number, index) => {
        const siteId = siteIds.format(region, Number(number));
        const stored = { duties: duties[index] ?? Buffer.alloc(0), shortage: shortages[index] ?? "" };
        return { siteId, duties: decodeDuties(siteId, stored.duties), shortage: decodeShortage(stored.shortage), stored };
      });
    },
    async settle({ siteId, stored, shortage }, lacking, toldAtMs) {
      // There is nothing to write: a shortage that lasts is looked at in each round.
      if (toldAtMs === undefined && shortage?.sinceMs !== 0) return;
      const isOver = shortage === undefined || (shortage.sinceMs === 0 && lacking.every((count) => count === 0));
      await settle(siteId, stored, isOver ? "" : `${shortage.sinceMs} ${lacking.join(",")}`, toldAtMs);
    },
    async putOff(siteId, triedAtMs) {
      await settle(siteId, { duties: Buffer.alloc(0), shortage: "-" }, "", triedAtMs);
    },
  };
}

/** At most some of the texts. By chance, so that none of them is always left out. */
function someOf(texts: readonly string[], most: number): string[] {
  if (texts.length <= most) return [...texts];
  const from = Math.floor(Math.random() * texts.length);
  return [...texts.slice(from), ...texts.slice(0, from)].slice(0, most);
}

/** Decodes a shortage as lua/includes/shortages.lua writes it: when it began, a space, and what was told, by commas. */
function decodeShortage(text: string): Shortage | undefined {
  if (text === "") return undefined;
  const [since = "0", told = ""] = text.split(" ");
  return { sinceMs: Number(since), told: told === "" ? [] : told.split(",").map(Number) };
}

/** Encodes a duty: u8 decision about live reservations, u32 length and facts before, u32 length and facts after. */
export function encodeDuty({ before, after, live }: SiteChangeDuty): Buffer {
  const bytes = new GrowingBytes();
  bytes.u8(live);
  for (const site of [before, after]) {
    const encoded = toBinary(SiteSchema, { ...site, siteId: "", compartments: [] }, { writeUnknownFields: false });
    bytes.u32(encoded.length);
    bytes.bytes(encoded);
  }
  return bytes.copy();
}

function decodeDuties(siteId: string, stored: Buffer): SiteChangeDuty[] {
  const duties: SiteChangeDuty[] = [];
  let at = 0;
  const site = (): Site => {
    const length = stored.readUInt32LE(at);
    const found = fromBinary(SiteSchema, stored.subarray(at + 4, at + 4 + length));
    at += 4 + length;
    return { ...found, siteId };
  };
  while (at < stored.length) {
    const live = stored.readUInt8(at++) as LiveReservations;
    duties.push({ live, before: site(), after: site() });
  }
  return duties;
}
