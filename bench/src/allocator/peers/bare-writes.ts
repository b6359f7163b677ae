import type { Redis } from "ioredis";

/** Bytes of what is written, as long as those of a hold: its reservation, its event and its site's tally. */
const reservationBytes = Buffer.alloc(155, 1);
const eventBytes = Buffer.alloc(147, 2);
const tallyBytes = Buffer.alloc(17, 3);

/** Sites in whose counts is written, and how many of them lie in one cell. */
const siteCount = 10_000;
const sitesPerCell = 10;

/** What ties a request id stays so long, in ms. */
const tieMs = 90_000_000;

const script = `#!lua
local holds = (#KEYS - 2) / 4
for hold = 0, holds - 1 do
  local key, argument = 2 + 4 * hold, 1 + 3 * hold
  redis.call('SET', KEYS[key + 1], '123456789', 'PX', ${tieMs}, 'NX')
  redis.call('HSET', KEYS[key + 2], ARGV[argument + 1], ARGV[argument + 2])
  redis.call('SETRANGE', KEYS[key + 3], hold, 'x')
  redis.call('XADD', KEYS[1], '*', 'event', ARGV[argument + 3])
  redis.call('SET', KEYS[key + 4], ARGV[1])
  redis.call('ZADD', KEYS[2], 1790000000000 + hold, KEYS[key + 4])
end
return 'done'`;

/**
 * What a hold writes, for several holds in one script as lua/hold-many.lua takes them: what ties the request id, the count, the byte that offers
 * the place, the event, the reservation, the deadline. Nothing is looked at before, and nobody is told. So no hold can be right that does no more
 * than this; it is what the server takes for writing alone.
 *
 * @returns Writes so many holds.
 */
export async function createBareWrites(redis: Redis): Promise<(count: number) => Promise<void>> {
  const digest = (await redis.script("LOAD", script)) as string;
  let number = 0;
  return async (count) => {
    const keys = ["bench:{bare}:events", "bench:{bare}:deadlines"];
    const values: (string | Buffer)[] = [reservationBytes];
    for (let hold = 0; hold < count; hold++) {
      const name = (number++).toString(36).padStart(16, "0");
      const site = number % siteCount;
      const cell = Math.floor(site / sitesPerCell);
      keys.push(`bench:{bare}:req:${name}`, `bench:{bare}:tallies:${cell}`, `bench:{bare}:block:${cell}`, `bench:{bare}:res:${name}`);
      values.push(String(site % sitesPerCell), tallyBytes, eventBytes);
    }
    await redis.evalsha(digest, keys.length, ...keys, ...values);
  };
}
