import type { Logger } from "@petak/gateway";
import type { RedisServerExit } from "@petak/redis/server";

/** How many of the last lines are kept: a server says in the last few why it ends. */
const keptLines = 12;

/** What a line begins with: process, role, time, and a sign for the level. # stands before warnings. */
const prefix = /^\d+:\w \d+ \w+ \d+ [\d:.]+ ([.*#-]) /;

/** What a private server says, in the gateway's log: it has none of its own. */
export interface PrivateRedisLog {
  /**
   * Takes a line. What the server warns of is a warning of the gateway's log, the rest is there at debug.
   *
   * @param isStopping true: it was told to end, and its farewell warns of nothing.
   */
  take(line: string, isStopping: boolean): void;
  /** Logs how it ended, with its last lines, and gives the sentence for whoever started the gateway. */
  ended(exit: RedisServerExit): string;
}

/** Brings a private server's log into the gateway's. */
export function createPrivateRedisLog(logger: Logger): PrivateRedisLog {
  const lastLines: string[] = [];
  return {
    take(line, isStopping) {
      lastLines.push(line);
      if (lastLines.length > keptLines) lastLines.shift();
      const isWarning = prefix.exec(line)?.[1] === "#";
      logger[isWarning && !isStopping ? "warn" : "debug"]({ line }, "private redis");
    },
    ended({ code, signal }) {
      logger.fatal({ code, signal, last_lines: lastLines }, "the private redis ended by itself");
      const how = signal === null ? `with code ${code ?? "unknown"}` : `by ${signal}`;
      const said = lastLines.at(-1)?.replace(prefix, "");
      return `The private Redis server ended by itself, ${how}, and the gateway with it${said === undefined ? "" : `. Its last words: ${said}`}`;
    },
  };
}
