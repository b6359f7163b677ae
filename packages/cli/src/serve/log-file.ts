import { createWriteStream, fstatSync, openSync, renameSync, type WriteStream } from "node:fs";

/** A file that takes log lines. */
export interface LogFile {
  /** Adds a line, which ends with a line break. Never throws and never waits. */
  write(line: string): void;
  /** Resolves when all that was written is with the system, or the log has failed. */
  close(): Promise<void>;
}

/** How a log file is kept. */
export interface LogFileOptions {
  /** Told once, in a sentence, that the log cannot be written and why. From then on lines are thrown away. */
  onFailure: (sentence: string) => void;
  /** A line that would make the file longer goes to a new one, and the old one becomes `….1`, in bytes. Default 16 MiB: days of a small gateway. */
  maxBytes?: number;
  /** What may wait for a slow disk, in bytes; lines beyond are thrown away and counted. Default 1 MiB: seconds of a busy gateway. */
  maxPendingBytes?: number;
  /** The clock, in ms, for the line that tells the count. Default: the system's. */
  now?: () => number;
}

/** Pino's number for the level `warn`. */
const warnLevel = 40;

/** Opens a file to which log lines are added, for its owner only. It and the one before it are kept. */
export function openLogFile(path: string, options: LogFileOptions): LogFile {
  const { onFailure, maxBytes = 16 * 1024 * 1024, maxPendingBytes = 1024 * 1024, now = Date.now } = options;
  const closing: Promise<void>[] = [];
  /** Undefined once lines are thrown away for good. */
  let stream: WriteStream | undefined;
  let hasFailed = false;
  let size = 0;
  let dropped = 0;

  function fail(error: Error): void {
    if (hasFailed) return;
    hasFailed = true;
    stream?.destroy();
    stream = undefined;
    onFailure(`The log ${path} cannot be written (${error.message}); nothing more is logged.`);
  }

  function open(): WriteStream {
    const fd = openSync(path, "a", 0o600);
    size = fstatSync(fd).size;
    const opened = createWriteStream(path, { fd });
    opened.on("error", fail);
    closing.push(new Promise((resolve) => opened.once("close", resolve)));
    return opened;
  }

  /** What is under way still goes to the file that it was meant for: a renamed file is the same file. */
  function rotate(current: WriteStream): WriteStream {
    renameSync(path, `${path}.1`);
    current.end();
    return open();
  }

  function add(current: WriteStream, line: string): void {
    const bytes = Buffer.byteLength(line);
    const target = size > 0 && size + bytes > maxBytes ? rotate(current) : current;
    stream = target;
    size += bytes;
    target.write(line);
  }

  try {
    stream = open();
  } catch (error) {
    fail(error as Error);
  }

  return {
    write(line) {
      if (stream === undefined) return;
      if (stream.writableLength > maxPendingBytes) {
        dropped += 1;
        return;
      }
      try {
        if (dropped > 0) {
          const msg = `${dropped} log lines were thrown away: the disk is too slow for them`;
          dropped = 0;
          add(stream, `${JSON.stringify({ level: warnLevel, time: now(), msg })}\n`);
        }
        if (stream !== undefined) add(stream, line);
      } catch (error) {
        fail(error as Error);
      }
    },
    async close() {
      stream?.end();
      stream = undefined;
      await Promise.all(closing);
    },
  };
}
