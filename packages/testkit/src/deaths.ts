import type { RedisConnection } from "@petak/redis";
import { Crash, type Death, dyingAt } from "./crashing.ts";
import { testLength } from "./test-length.ts";

/** Whether work ends in a {@link Crash}. Rejects with any other error. */
export async function dies(work: unknown): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    return true;
  }
}

export interface Deaths {
  /** The underlying connection. */
  connection: RedisConnection;
  /** Minimum number of commands, so that the test is meaningful. */
  commandsMin: number;
  /** Whether to crash both before and after each command, or alternately. Default: both in the longer runs. */
  hasBothMoments?: boolean;
}

/**
 * Repeats work with a connection that crashes at its first command, before and after it is executed, then at its second, and so on until it no longer crashes.
 * Rejects if there were too few commands. Test files that call this also run in `npm run test:ci`.
 *
 * @param work does the work over the crashing connection, then checks the result over another one. Resolves with whether it crashed
 */
export async function atEveryDeath(
  { connection, commandsMin, hasBothMoments = ["ci", "long"].includes(testLength()) }: Deaths,
  work: (dying: RedisConnection, death: Death) => Promise<boolean>,
): Promise<void> {
  let commands = 0;
  for (let hasDied = true; hasDied; ) {
    const atCommand = commands + 1;
    hasDied = false;
    const moments = hasBothMoments ? [false, true] : [atCommand % 2 === 0];
    for (const isDone of moments) {
      if (await work(dyingAt(connection, { atCommand, isDone }).connection, { atCommand, isDone })) hasDied = true;
    }
    if (hasDied) commands = atCommand;
  }
  if (commands < commandsMin) throw new Error(`there were ${commands} commands to crash at; at least ${commandsMin} are required`);
}
