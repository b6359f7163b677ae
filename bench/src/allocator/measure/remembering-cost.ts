import type { Redis } from "ioredis";
import { serverMicros } from "./server-micros.ts";

/** Keys of a round, as long as a block of ten sites. */
const keyCount = 10_000;
const valueBytes = 440;

/** Passes of a round. */
const passes = 10;

/**
 * What it costs the server to remember who has read a key, in µs a key, in the rounds of one run: it does so after the command whose time it counts.
 * So the same keys are read over a connection that is told of changes and over one that is not, and the processor time of the server's main thread
 * is compared, reading requests and writing answers included, which are the same for both.
 */
export async function rememberingCost(connect: () => Redis, rounds: number): Promise<number[]> {
  const [writer, plain, told, listener] = [connect(), connect(), connect(), connect()];
  try {
    await Promise.all([writer, plain, told, listener].map((connection) => connection.connect()));
    await told.client("TRACKING", "ON", "REDIRECT", Number(await listener.client("ID")));
    const keys = Array.from({ length: keyCount }, (_, index) => `bench:{remembered}:${index}`);
    const value = Buffer.alloc(valueBytes);
    const readAll = async (connection: Redis) => {
      const before = await serverMicros(writer);
      await connection.mget(keys);
      return (await serverMicros(writer)) - before;
    };
    const costs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      let more = 0;
      for (let pass = 0; pass < passes; pass++) {
        // A change ends what is remembered of a key, and every key must be remembered anew.
        await writer.mset(keys.flatMap((key) => [key, value]));
        const plainFirst = pass % 2 === 0 ? await readAll(plain) : undefined;
        const toldMicros = await readAll(told);
        more += toldMicros - (plainFirst ?? (await readAll(plain)));
      }
      costs.push(more / (passes * keyCount));
    }
    await writer.del(keys);
    return costs;
  } finally {
    for (const connection of [writer, plain, told, listener]) connection.disconnect();
  }
}
