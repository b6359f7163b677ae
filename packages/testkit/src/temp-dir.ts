import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A temporary directory. `await using` removes it at the end of the block. */
export interface TempDir extends AsyncDisposable {
  /** Its path, without symbolic links and short enough for Unix sockets. */
  readonly path: string;
  /** Removes it with its content. Idempotent. */
  remove(): Promise<void>;
}

/** Makes a directory that the caller removes, for use outside of tests. */
export async function createTempDir(): Promise<TempDir> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "petak-")));
  // With retries, since a server that is exiting may still write into it.
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  return { path, remove, [Symbol.asyncDispose]: remove };
}

/** Makes a directory that is removed after the running test. Call it within a test. @returns its path */
export async function tempDir(): Promise<string> {
  const { path, remove } = await createTempDir();
  onTestFinished(remove);
  return path;
}
