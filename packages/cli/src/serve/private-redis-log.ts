import type { Logger } from "@petak/gateway";
import type { RedisServerExit } from "@petak/redis/server";

/** Number of last lines that are kept: a server logs there why it ends. */
const keptLines = 12;

/** Start of a line: process, role, time and a sign for the level; # is a warning. */
const prefix = /^\d+:\w \d+ \w+ \d+ [\d:.]+ ([.*#-]) /;

/** Forwards a private server's log to the gateway's. */
export interface PrivateRedisLog {
  /**
   * Logs a line: the server's warnings as warnings, the rest at debug.
   *
   * @param isStopping true: the server was told to end, so its last lines are no warnings
   */
  take(line: string, isStopping: boolean): void;
  /** Logs how the server ended, with its last lines. Returns a sentence for the user. */
  ended(exit: RedisServerExit): string;
}

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
