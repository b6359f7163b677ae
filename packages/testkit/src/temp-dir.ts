import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A directory of a test's own. `await using` removes it at the end of the block. */
export interface TempDir extends AsyncDisposable {
  /** Its path, without symbolic links. Short, so that Unix sockets fit into it. */
  readonly path: string;
  /** Removes it with all that is in it. May be called any number of times. */
  remove(): Promise<void>;
}

/** Makes a directory that the caller removes, for use outside tests and in set-up code. */
export async function createTempDir(): Promise<TempDir> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "petak-")));
  // Tried again a few times: a server that is just ending may still write into it.
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  return { path, remove, [Symbol.asyncDispose]: remove };
}

/** A directory that is removed when the running test has finished. Call it within a test. @returns its path */
export async function tempDir(): Promise<string> {
  const { path, remove } = await createTempDir();
  onTestFinished(remove);
  return path;
}
