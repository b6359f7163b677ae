import type { AgentLogger } from "./logger.ts";

/** A logger that remembers its latest lines. */
export interface LogRing extends AgentLogger {
  /** The latest lines, oldest first: each one printable line of at most 200 characters, without credentials and keys. */
  lines(): string[];
}

const linesMax = 100;
const lineMaxLength = 200;

/** Remembers the lines that go to another logger. @param now in ms since 1970 */
export function createLogRing(logger: AgentLogger, now: () => number): LogRing {
  const ring: string[] = [];
  const at =
    (level: "info" | "warn" | "error") =>
    (fields: object, message: string): void => {
      const { err, ...others } = fields as { err?: unknown };
      const detail = err instanceof Error ? { ...others, error: err.message } : others;
      const said = Object.keys(detail).length === 0 ? "" : ` ${JSON.stringify(detail)}`;
      ring.push(redact(`${new Date(now()).toISOString()} ${level} ${message}${said}`));
      if (ring.length > linesMax) ring.shift();
      logger[level](fields, message);
    };
  return { info: at("info"), warn: at("warn"), error: at("error"), lines: () => [...ring] };
}

/**
 * A line without what could be a secret: nothing that the agent logs is one, and an error may quote what it was given. Tokens have dots between long parts, keys and
 * hashes are long, and PINs have eight digits. Ids of sites, reservations and keys stay.
 */
export function redact(line: string): string {
  const plain = line
    .replace(/[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]+)*/g, "[token]")
    .replace(/[A-Za-z0-9+/_-]{36,}={0,2}/g, "[key]")
    .replace(/(?<![0-9A-Za-z_])\d{4}[ -]?\d{4}(?![0-9A-Za-z_])/g, "[pin]")
    // What the rule for printable text of the protocol refuses.
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, " ");
  return plain.length <= lineMaxLength ? plain : `${[...plain].slice(0, lineMaxLength / 2 - 1).join("")}…`;
}
