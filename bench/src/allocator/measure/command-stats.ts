import type { Redis } from "ioredis";

/** What a server did during an interval, by `INFO`. */
export interface CommandTimes {
  /**
   * Processor time of all commands, in µs. Commands called by a script count twice, in the script and by themselves: see `scriptMicros`.
   */
  micros: number;
  /** Processor time in scripts, in µs, including the commands that they call. */
  scriptMicros: number;
  /** Calls of each command. */
  calls: Record<string, number>;
  /** Keys that commands looked up. */
  keysRead: number;
}

/** The commands of the measurement itself. */
const ownCommands = new Set(["info", "config", "config|resetstat", "ping"]);

/** The commands that call a script. */
const scriptCommands = new Set(["eval", "evalsha", "eval_ro", "evalsha_ro", "fcall", "fcall_ro"]);

/** A server's processor time in commands while something runs. */
export async function commandTimes(redis: Redis, run: () => Promise<void>): Promise<CommandTimes> {
  await redis.config("RESETSTAT");
  await run();
  return parseCommandTimes(await redis.info("commandstats", "stats"));
}

/** Sums several intervals. */
export function sumOf(all: readonly CommandTimes[]): CommandTimes {
  const sum: CommandTimes = { micros: 0, scriptMicros: 0, calls: {}, keysRead: 0 };
  for (const { micros, scriptMicros, calls, keysRead } of all) {
    sum.micros += micros;
    sum.scriptMicros += scriptMicros;
    sum.keysRead += keysRead;
    for (const [name, count] of Object.entries(calls)) sum.calls[name] = (sum.calls[name] ?? 0) + count;
  }
  return sum;
}

/** Parses the sections `commandstats` and `stats`. */
export function parseCommandTimes(info: string): CommandTimes {
  const times: CommandTimes = { micros: 0, scriptMicros: 0, calls: {}, keysRead: 0 };
  for (const [, name = "", calls, micros] of info.matchAll(/^cmdstat_([^:]+):calls=(\d+),usec=(\d+)/gm)) {
    if (ownCommands.has(name)) continue;
    times.micros += Number(micros);
    if (scriptCommands.has(name)) times.scriptMicros += Number(micros);
    times.calls[name] = Number(calls);
  }
  for (const [, count] of info.matchAll(/^keyspace_(?:hits|misses):(\d+)/gm)) times.keysRead += Number(count);
  return times;
}
