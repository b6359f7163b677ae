import type { Redis } from "ioredis";

/** What a server did for some queries, by `INFO commandstats`. */
export interface CommandTimes {
  /** Processor time of all commands, in µs. */
  micros: number;
  /** Calls of each command. */
  calls: Record<string, number>;
}

/** What the measuring itself sends. */
const ownCommands = new Set(["info", "config", "config|resetstat", "ping"]);

/**
 * What a server spends in commands while something runs. A script counts twice where it calls commands, once by itself and once in them: no
 * query of the bench runs one.
 */
export async function commandTimes(redis: Redis, run: () => Promise<void>): Promise<CommandTimes> {
  await redis.config("RESETSTAT");
  await run();
  return parseCommandStats(await redis.info("commandstats"));
}

/** Reads the section. */
export function parseCommandStats(section: string): CommandTimes {
  const times: CommandTimes = { micros: 0, calls: {} };
  for (const [, name = "", calls, micros] of section.matchAll(/^cmdstat_([^:]+):calls=(\d+),usec=(\d+)/gm)) {
    if (ownCommands.has(name)) continue;
    times.micros += Number(micros);
    times.calls[name] = Number(calls);
  }
  return times;
}
