import type { RedisConnection } from "@petak/redis";
import type { Random } from "./random.ts";

/** What a command of a connection that crashes is rejected with. Whether the command was done, nobody knows. */
export class Crash extends Error {
  constructor() {
    super("crashed");
    this.name = "Crash";
  }
}

/** Where a process dies: at which of its commands, counted from 1, and whether the command is done before it does. */
export interface Death {
  atCommand: number;
  isDone: boolean;
}

/** The same connection for a process that dies once, at one command, and counts them. */
export function dyingAt(connection: RedisConnection, { atCommand, isDone }: Death): { connection: RedisConnection; commands(): number } {
  let count = 0;
  const dying = spoilt(connection, () => {
    count += 1;
    if (count !== atCommand) return "never";
    return isDone ? "after" : "before";
  });
  return { connection: dying, commands: () => count };
}

/**
 * The same connection for a process that may die at any command: before it is sent, or after it was done and before its reply is read. What
 * is rejected with a {@link Crash} must not be gone on with.
 *
 * @param share The share of the commands at which it dies, from 0 to 1.
 */
export function crashing(connection: RedisConnection, random: Random, share: number): RedisConnection {
  return spoilt(connection, () => {
    if (random.bool(share / 2)) return "before";
    return random.bool(share / 2) ? "after" : "never";
  });
}

/** Dies at the commands of which it is said so. */
function spoilt(connection: RedisConnection, whenToDie: () => "before" | "after" | "never"): RedisConnection {
  return new Proxy(connection, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      if (!commands.test(String(name))) return (...args: unknown[]): unknown => Reflect.apply(value, target, args);
      return (...args: unknown[]): unknown => {
        const death = whenToDie();
        if (death === "before") return Promise.reject(new Crash());
        const result: unknown = Reflect.apply(value, target, args);
        if (!(result instanceof Promise) || death === "never") return result;
        return result.then(() => {
          throw new Crash();
        });
      };
    },
  });
}

const commands = /^(get|set|mget|del|hget|hset|hmget|hgetall|sadd|smembers|incr|lrange|llen|zrange|evalsha|eval|xadd|xrange|sendCommand)/;
