import { type DestinationStream, type Logger, pino } from "pino";

export type { Logger };

/** Levels of log lines, most talkative first. `silent` writes nothing. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "silent"] as const;

/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];

/** Where log lines go and which. */
export interface LoggerOptions {
  /** The least important level that is written. Default `info`: one line an RPC, nothing a message. */
  level?: LogLevel;
  /** Where lines are written, one JSON object a line. Default standard output, where process managers look for them. */
  destination?: DestinationStream;
}

// A key is redacted at the top of a line and one level below it, which is where this gateway's own code puts facts. Code that logs a
// whole request is refused in review, since no list of names can make that safe.
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

/** The gateway's logger: JSON lines with the time in ms, names of secrets redacted wherever they appear by mistake. */
export function createLogger({ level = "info", destination }: LoggerOptions = {}): Logger {
  const options = {
    level,
    base: { service: "petak-gateway" },
    serializers: { err: serializeError },
    redact: {
      paths: [...secretKeys.flatMap((key) => [key, `*.${key}`]), "*.headers.authorization", "*.headers.cookie"],
      censor: "[redacted]",
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** An error without the facts that libraries hang on it: ioredis adds the command with all its arguments, hashed PINs among them. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack, cause } = error;
  return { type: name, message, stack, ...(cause === undefined ? {} : { cause: serializeError(cause) }) };
}
