import type { RedisConnection } from "@petak/allocator";
import type { Random } from "./random.ts";

/** What a command of a connection that crashes is rejected with. Whether the command was done, nobody knows. */
export class Crash extends Error {
  constructor() {
    super("crashed");
    this.name = "Crash";
  }
}

/**
 * The same connection for a process that may die at any command: before it is sent, or after it was done and before its reply is read. What
 * is rejected with a {@link Crash} must not be gone on with.
 *
 * @param share The share of the commands at which it dies, from 0 to 1.
 */
export function crashing(connection: RedisConnection, random: Random, share: number): RedisConnection {
  return new Proxy(connection, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        const isBefore = random.bool(share / 2);
        // Only commands can be told from other methods by what they give, so one that dies before it is sent is not even begun.
        if (isBefore && commands.test(String(name))) return Promise.reject(new Crash());
        const result: unknown = Reflect.apply(value, target, args);
        if (!(result instanceof Promise) || !random.bool(share / 2)) return result;
        return result.then(() => {
          throw new Crash();
        });
      };
    },
  });
}

const commands =
  /^(get|set|mget|del|hget|hset|hmget|hgetall|sadd|smembers|incr|lrange|llen|zrangebyscore|evalsha|eval|xadd|xrange|sendCommand)/;
