import type { RedisConnection } from "@petak/redis";
import type { Random } from "./random.ts";

/** Rejection of a command at which the connection crashed. Whether the command was executed is unknown. */
export class Crash extends Error {
  constructor() {
    super("crashed");
    this.name = "Crash";
  }
}

/** The command at which a process crashes, counted from 1, and whether the command is executed before. */
export interface Death {
  atCommand: number;
  isDone: boolean;
}

/** Wraps a connection so that it crashes once, at a given command, and counts commands. */
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
 * Wraps a connection so that it crashes at random commands: before one is sent, or after it was executed and before its reply is read. The caller must not continue
 * after a {@link Crash}.
 *
 * @param share probability of a crash per command, from 0 to 1
 */
export function crashing(connection: RedisConnection, random: Random, share: number): RedisConnection {
  return spoilt(connection, () => {
    if (random.bool(share / 2)) return "before";
    return random.bool(share / 2) ? "after" : "never";
  });
}

/** Crashes at the selected commands. */
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
