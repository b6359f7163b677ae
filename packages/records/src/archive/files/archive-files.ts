import { type FileHandle, link, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { ArchiveFailure } from "./archive-failure.ts";

/** A file that is open for reading. */
export interface OpenFile {
  readonly sizeBytes: number;
  /** So many bytes from an offset. */
  read(offset: number, bytes: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** The steps of which everything on the archive's file system is made. Each is durable when it has resolved, but for what {@link syncDir} says. */
export interface ArchiveFiles {
  /** Makes a directory, and those above it, where they are not there. */
  makeDir(path: string): Promise<void>;
  /** The names in a directory; none where it is not there. */
  names(path: string): Promise<string[]>;
  /** A whole file, or undefined where there is none. */
  read(path: string): Promise<Buffer | undefined>;
  /** Opens a file for reading; undefined where there is none. */
  open(path: string): Promise<OpenFile | undefined>;
  /** Writes a file, anew where there is one, and waits for the disk. */
  write(path: string, content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void>;
  /** Gives a file another name that nobody has. False where somebody has it. */
  linkNew(from: string, to: string): Promise<boolean>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, where it is there. */
  remove(path: string): Promise<void>;
  /** Waits until the names in a directory are on the disk: names that were made, changed and removed are not before. */
  syncDir(path: string): Promise<void>;
}

/** The steps on the file system of this machine. */
export const diskFiles: ArchiveFiles = {
  async makeDir(path) {
    const first = await mkdir(path, { recursive: true });
    if (first === undefined) return;
    // The name of each directory that was made stands in the one above it.
    for (let made = path; made.length >= first.length; made = dirname(made)) await diskFiles.syncDir(dirname(made));
  },
  async names(path) {
    return (await unlessMissing(readdir(path))) ?? [];
  },
  read: (path) => unlessMissing(readFile(path)),
  async open(path) {
    const file = await unlessMissing(open(path, "r"));
    if (file === undefined) return undefined;
    const { size } = await file.stat();
    return { sizeBytes: size, read: (offset, bytes) => readAt(path, file, offset, bytes), close: () => file.close() };
  },
  async write(path, content) {
    await using file = await open(path, "w");
    await file.writeFile(content);
    await file.sync();
  },
  async linkNew(from, to) {
    try {
      await link(from, to);
      return true;
    } catch (error) {
      if (codeOf(error) === "EEXIST") return false;
      throw error;
    }
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  async syncDir(path) {
    await using directory = await open(path, "r");
    await directory.sync();
  },
};

async function readAt(path: string, file: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  for (let filled = 0; filled < bytes; ) {
    const { bytesRead } = await file.read(buffer, filled, bytes - filled, offset + filled);
    if (bytesRead === 0) throw new ArchiveFailure("damaged", `${path} ends before byte ${offset + bytes}`);
    filled += bytesRead;
  }
  return buffer;
}

async function unlessMissing<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
