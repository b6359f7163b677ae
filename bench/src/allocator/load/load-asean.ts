import { spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createProgress, type Say } from "../progress.ts";

const worker = join(import.meta.dirname, "load-worker.ts");

/** Loads the ASEAN network with half of its sites full, in one process per core, because Node is the bottleneck. */
export async function loadAsean(socketPath: string, count: number, seed: number, say: Say): Promise<void> {
  const workers = Math.min(availableParallelism(), 4);
  const progress = createProgress(say, "Loading sites", count);
  let loaded = 0;
  const range = (part: number) => String(Math.floor((count * part) / workers));
  await Promise.all(
    Array.from({ length: workers }, async (_, part) => {
      const args = [worker, socketPath, String(count), String(seed), range(part), range(part + 1)];
      const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
      const ended = once(child, "exit");
      for await (const line of createInterface({ input: child.stdout })) {
        loaded += Number(line);
        progress(loaded);
      }
      const [code] = (await ended) as [number | null];
      if (code !== 0) throw new Error(`loading sites ${range(part)} to ${range(part + 1)} ended with ${code}`);
    }),
  );
}
