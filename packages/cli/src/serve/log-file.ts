import { createWriteStream, fstatSync, openSync, renameSync, type WriteStream } from "node:fs";

/** A log file. */
export interface LogFile {
  /** Appends a line, including its line break. Never throws or blocks. */
  write(line: string): void;
  /** Resolves when all lines are written, or the log has failed. */
  close(): Promise<void>;
}

export interface LogFileOptions {
  /** Called once, with a sentence, if the log cannot be written. Further lines are discarded. */
  onFailure: (sentence: string) => void;
  /** Greatest size, in bytes. A file that would exceed it is renamed to `….1`, and a new one is started. Default 16 MiB: days of a small gateway. */
  maxBytes?: number;
  /** Buffer for a slow disk, in bytes; further lines are dropped and counted. Default 1 MiB: seconds of a busy gateway. */
  maxPendingBytes?: number;
  /** The clock, in ms, for the line with the count of dropped lines. Default: the system's. */
  now?: () => number;
}

/** Pino's number for the level `warn`. */
const warnLevel = 40;

/** Opens a log file that only its owner can read. Keeps it and its predecessor. */
export function openLogFile(path: string, options: LogFileOptions): LogFile {
  const { onFailure, maxBytes = 16 * 1024 * 1024, maxPendingBytes = 1024 * 1024, now = Date.now } = options;
  const closing: Promise<void>[] = [];
  /** Undefined after the log has failed. */
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

  /** Pending writes still go to the renamed file, for which they were meant. */
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
          const msg = `${dropped} log lines were dropped: the disk is too slow`;
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
