import type { Redis } from "ioredis";
import { serverMicros } from "./server-micros.ts";

/** Keys of a round, each as long as a block of ten sites. */
const keyCount = 10_000;
const valueBytes = 440;

/** Passes of a round. */
const passes = 10;

/**
 * The server's cost of registering a tracked key's reader, in µs a key, for each round of one run. `INFO` does not attribute that time to
 * the read command. So the same keys are read over a connection that tracks changes and over one that does not, and the processor time of
 * the server's main thread is compared; reading requests and writing answers costs the same in both.
 */
export async function registrationCost(connect: () => Redis, rounds: number): Promise<number[]> {
  const [writer, plain, tracked, listener] = [connect(), connect(), connect(), connect()];
  try {
    await Promise.all([writer, plain, tracked, listener].map((connection) => connection.connect()));
    await tracked.client("TRACKING", "ON", "REDIRECT", Number(await listener.client("ID")));
    const keys = Array.from({ length: keyCount }, (_, index) => `bench:{registered}:${index}`);
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
        // A change ends the registrations of a key, so every key must be registered again.
        await writer.mset(keys.flatMap((key) => [key, value]));
        const plainFirst = pass % 2 === 0 ? await readAll(plain) : undefined;
        const trackedMicros = await readAll(tracked);
        more += trackedMicros - (plainFirst ?? (await readAll(plain)));
      }
      costs.push(more / (passes * keyCount));
    }
    await writer.del(keys);
    return costs;
  } finally {
    for (const connection of [writer, plain, tracked, listener]) connection.disconnect();
  }
}
