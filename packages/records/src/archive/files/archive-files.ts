import { type FileHandle, link, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { ArchiveFailure } from "./archive-failure.ts";

/** A file opened for reading. */
export interface OpenFile {
  readonly sizeBytes: number;
  /** Reads bytes from an offset. @throws {ArchiveFailure} if the file is shorter */
  read(offset: number, bytes: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** The operations on the archive's file system. Contents are durable when the operation has resolved; names only after {@link syncDir}. */
export interface ArchiveFiles {
  /** Creates a directory and its missing parents. Durable. */
  makeDir(path: string): Promise<void>;
  /** The names in a directory. Empty if it does not exist. */
  names(path: string): Promise<string[]>;
  /** Reads a file. Undefined if it does not exist. */
  read(path: string): Promise<Buffer | undefined>;
  /** Opens a file for reading. Undefined if it does not exist. */
  open(path: string): Promise<OpenFile | undefined>;
  /** Writes a file, replacing an existing one, and flushes it to disk. */
  write(path: string, content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void>;
  /** Gives a file a second name. Returns false if that exists. */
  linkNew(from: string, to: string): Promise<boolean>;
  /** Renames a file, replacing an existing one. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file if it exists. */
  remove(path: string): Promise<void>;
  /** Flushes the names in a directory to disk: created, changed and removed names are not durable before. */
  syncDir(path: string): Promise<void>;
}

/** The operations on the local file system. */
export const diskFiles: ArchiveFiles = {
  async makeDir(path) {
    const first = await mkdir(path, { recursive: true });
    if (first === undefined) return;
    // The name of each created directory is stored in its parent.
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
