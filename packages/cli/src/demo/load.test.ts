import { PetakError } from "@petak/protocol";
import { describe, expect, test } from "vitest";
import { createScriptedDirectory } from "../../test/scripted-directory.ts";
import { loadDemoNetwork } from "./load.ts";
import { buildDemoNetwork } from "./network.ts";

const network = buildDemoNetwork({ sites: 450, seed: 3 });

describe("loading the demonstration network", () => {
  test("loads every site as its operator, and reports progress", async () => {
    const directories = new Map(network.operators.map(({ key }) => [key, createScriptedDirectory()]));
    const progress: number[] = [];
    const result = await loadDemoNetwork({
      network,
      clientFor: (key) => ({ directory: directories.get(key)?.client ?? fail(key) }),
      onProgress: ({ done, total }) => {
        expect(total).toBe(450);
        progress.push(done);
      },
    });
    expect(result).toEqual({ created: 450, updated: 0, unchanged: 0 });
    for (const [key, directory] of directories) {
      expect(directory.standing()).toHaveLength(network.sitesByOperator.get(key)?.length ?? -1);
      expect(Math.max(...directory.calls.map(({ count }) => count))).toBeLessThanOrEqual(100);
    }
    expect(progress[0]).toBe(0);
    expect(progress.at(-1)).toBe(450);
  });

  test("that was interrupted continues with the same request ids", async () => {
    let isBroken = true;
    const directory = createScriptedDirectory((_, number) => (isBroken && number === 3 ? new PetakError("INTERNAL", "no") : "answer"));
    const load = () => loadDemoNetwork({ network, clientFor: () => ({ directory: directory.client }), parallel: 1 });
    await expect(load()).rejects.toThrow("no");
    const before = directory.calls.map(({ requestId }) => requestId);
    isBroken = false;
    await load();
    const after = directory.calls.slice(before.length).map(({ requestId }) => requestId);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(directory.standing()).toHaveLength(450);
  });

  test("stops before the next batch when the signal aborts", async () => {
    const controller = new AbortController();
    const directory = createScriptedDirectory((_, number) => {
      if (number === 2) controller.abort(new Error("enough"));
      return "answer";
    });
    const load = loadDemoNetwork({ network, clientFor: () => ({ directory: directory.client }), parallel: 1, signal: controller.signal });
    await expect(load).rejects.toThrow("enough");
    expect(directory.calls).toHaveLength(2);
  });
});

function fail(key: string): never {
  throw new Error(`no client for ${key}`);
}
