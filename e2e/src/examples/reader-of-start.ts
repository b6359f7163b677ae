import { createTempDir, type TempDir } from "@petak/testkit";
import { afterAll, beforeAll } from "vitest";
import { type StartedPetak, startPetak } from "../testing/petak-process.ts";
import { createReader, makeClone, type Reader } from "./shown-commands.ts";

/** A reader in whose folder `petak start` runs. To be used within a test. */
export interface ReaderOfStart {
  readonly reader: Reader;
  readonly folder: string;
  /** What `petak start` has printed. */
  said(): string;
}

/** Gives the tests of a file a reader, and ends `petak start` after them. Call it at the top. */
export function useReaderOfStart(): ReaderOfStart {
  let folder: TempDir;
  let started: StartedPetak;
  let reader: Reader;
  beforeAll(async () => {
    folder = await createTempDir();
    started = await startPetak(folder.path, ["start", "--port", "0", "--demo-sites", "300"], /Stop with Ctrl-C/);
    const url = /running at (\S+)/.exec(started.said())?.[1] ?? "";
    await makeClone(folder.path);
    reader = await createReader(folder.path, url, [started.said()]);
  });
  afterAll(async () => {
    await started.interrupt();
    await folder.remove();
  });
  return {
    get reader() {
      return reader;
    },
    get folder() {
      return folder.path;
    },
    said: () => started.said(),
  };
}
