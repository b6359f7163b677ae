import { escapeUnprintable } from "@petak/protocol/printable-text";
import { type DestinationStream, type Logger, pino } from "pino";

export type { Logger };

/** Log levels, most verbose first. `silent` writes nothing. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "silent"] as const;

/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];

/** Options of {@link createLogger}. */
export interface LoggerOptions {
  /** The lowest level that is written. Default `info`: one line for each RPC, none for the messages of a stream. */
  level?: LogLevel;
  /** Receives the lines, one JSON object each. Default standard output, where process managers read them. */
  destination?: DestinationStream;
  /** The number of this process, if it is one of several of a gateway. */
  worker?: number;
}

// Keys are redacted at the top of a line and one level below, where this gateway's code puts fields. Code must not log whole requests: no list of names
// makes that safe.
const secretKeys = [
  "authorization",
  "token",
  "access_token",
  "accessToken",
  "pin",
  "privateKey",
  "private_key",
  "key",
  "cookie",
  "password",
];

/** Creates the gateway's logger: JSON lines with the time in ms. Fields with the names of secrets are redacted. */
export function createLogger({ level = "info", destination, worker }: LoggerOptions = {}): Logger {
  const options = {
    level,
    base: { service: "petak-gateway", ...(worker !== undefined && { worker }) },
    serializers: { err: serializeError },
    hooks: { streamWrite: escapeLine },
    redact: {
      paths: [...secretKeys.flatMap((key) => [key, `*.${key}`]), "*.headers.authorization", "*.headers.cookie"],
      censor: "[redacted]",
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** A line may have text of a stranger, and is read in terminals. JSON escapes only some of the characters that could command one. */
function escapeLine(line: string): string {
  return `${escapeUnprintable(line.slice(0, -1))}\n`;
}

/** Serializes an error without the fields that libraries add: ioredis adds the command with all arguments, hashed PINs among them. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack, cause } = error;
  return { type: name, message, stack, ...(cause === undefined ? {} : { cause: serializeError(cause) }) };
}

/** Logs a failure in a part of the gateway that no call waits for. `part` names it as the subject of a sentence, e.g. `a webhook's delivery`. */
export type LogFailure = (part: string, error: unknown, facts?: Record<string, unknown>) => void;
