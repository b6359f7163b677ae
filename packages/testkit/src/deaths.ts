import type { RedisConnection } from "@petak/redis";
import { Crash, type Death, dyingAt } from "./crashing.ts";
import { testLength } from "./test-length.ts";

/** Whether some work ends in a {@link Crash}. Rejects with what else it ends in. */
export async function dies(work: unknown): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    return true;
  }
}

/** Whose deaths, and of how many commands it must be able to die. */
export interface Deaths {
  /** The connection of everybody. It is listened to once more for each death. */
  connection: RedisConnection;
  /** It would say nothing if there were hardly anything to die at: that many commands at least. */
  commandsMin: number;
  /** Whether it dies both before and after each command, or at one of these by turns. Default: both in the longer runs. */
  hasBothMoments?: boolean;
}

/**
 * Does some work over a connection that dies at its first command, before and after it is done, then at its second, and so on until it dies at
 * none. Rejects where that were too few. A file that calls this runs again in `npm run test:ci`.
 *
 * @param work Does it over the connection that dies, and what is to be found of it after that over another. Resolves with whether it died.
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
  if (commands < commandsMin) throw new Error(`there were ${commands} commands to die at, and should be ${commandsMin} at least`);
}
