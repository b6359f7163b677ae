import type { Redis } from "ioredis";

/** Values as long as those that a hold writes: its reservation, its event and its site's counts. */
const reservationBytes = Buffer.alloc(155, 1);
const eventBytes = Buffer.alloc(147, 2);
const countsBytes = Buffer.alloc(17, 3);

/** Sites whose counts are written, and how many of them lie in one cell. */
const siteCount = 10_000;
const sitesPerCell = 10;

/** Time to live of a request id's fingerprint, in ms. */
const fingerprintTtlMs = 90_000_000;

const script = `#!lua
local holds = (#KEYS - 2) / 4
for hold = 0, holds - 1 do
  local key, argument = 2 + 4 * hold, 1 + 3 * hold
  redis.call('SET', KEYS[key + 1], '123456789', 'PX', ${fingerprintTtlMs}, 'NX')
  redis.call('HSET', KEYS[key + 2], ARGV[argument + 1], ARGV[argument + 2])
  redis.call('SETRANGE', KEYS[key + 3], hold, 'x')
  redis.call('XADD', KEYS[1], '*', 'event', ARGV[argument + 3])
  redis.call('SET', KEYS[key + 4], ARGV[1])
  redis.call('ZADD', KEYS[2], 1790000000000 + hold, KEYS[key + 4])
end
return 'done'`;

/**
 * The writes of a hold, for several holds in one script like lua/hold-many.lua: the fingerprint of the request id, the counts, the byte of
 * the index, the event, the reservation and the deadline. Nothing is checked and nobody is notified, so this is a lower bound of a hold's
 * cost.
 *
 * @returns Writes this many holds.
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
      values.push(String(site % sitesPerCell), countsBytes, eventBytes);
    }
    await redis.evalsha(digest, keys.length, ...keys, ...values);
  };
}
