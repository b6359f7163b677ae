import type { RedisConnection } from "@petak/redis";
import { Crash } from "@petak/testkit";
import type { ArchiveFiles } from "../files/archive-files.ts";

/** When a process crashes at a step: before the step, or after it, before its result arrives. A file that it writes is then incomplete. */
export type DeathMoment = "before" | "done";

/** A process that crashes once at one of its steps: a command to Redis or an operation on the file system. */
export interface Mortal {
  readonly connection: RedisConnection;
  readonly files: ArchiveFiles;
  /** The steps so far. */
  readonly steps: readonly string[];
  readonly isDead: boolean;
}

const commands = /^(get|set|del|eval|x|z|h|smembers|time|pttl|mget)/;

/** Creates such a process. After the crash its steps have no effect. @param atStep from 1 */
export function createMortal(connection: RedisConnection, files: ArchiveFiles, atStep: number, moment: DeathMoment): Mortal {
  const steps: string[] = [];
  let isDead = false;

  /** Performs a step unless the process has crashed or crashes at it. */
  async function step<Result>(name: string, work: () => Promise<Result>, done: () => Promise<unknown> = work): Promise<Result> {
    if (isDead) throw new Crash();
    steps.push(name);
    if (steps.length !== atStep) return await work();
    isDead = true;
    if (moment === "done") await done();
    throw new Crash();
  }

  const mortalConnection = new Proxy(connection, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      const call = (...args: unknown[]): unknown => Reflect.apply(value, target, args);
      if (!commands.test(String(name))) return call;
      return (...args: unknown[]) => step(String(name), async () => await (call(...args) as Promise<unknown>));
    },
  });
  const mortalFiles: ArchiveFiles = {
    makeDir: (path) => step("makeDir", () => files.makeDir(path)),
    names: (path) => step("names", () => files.names(path)),
    read: (path) => step("read", () => files.read(path)),
    open: (path) =>
      step(
        "open",
        () => files.open(path),
        // The system closes the open files of a crashed process.
        async () => (await files.open(path))?.close(),
      ),
    write: (path, content) =>
      step(
        "write",
        () => files.write(path, content),
        async () => {
          const chunks: Uint8Array[] = [];
          for await (const chunk of content) chunks.push(chunk);
          const bytes = Buffer.concat(chunks);
          await files.write(path, [bytes.subarray(0, bytes.length / 2)]);
        },
      ),
    linkNew: (from, to) => step("linkNew", () => files.linkNew(from, to)),
    rename: (from, to) => step("rename", () => files.rename(from, to)),
    remove: (path) => step("remove", () => files.remove(path)),
    syncDir: (path) => step("syncDir", () => files.syncDir(path)),
  };
  return {
    connection: mortalConnection,
    files: mortalFiles,
    steps,
    get isDead() {
      return isDead;
    },
  };
}
