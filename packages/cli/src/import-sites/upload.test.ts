import { PetakError, SiteKind } from "@petak/protocol";
import { makeSite } from "@petak/testkit";
import { describe, expect, test } from "vitest";
import { createScriptedDirectory, type ScriptedDirectory } from "../../test/scripted-directory.ts";
import type { CheckedSite } from "./build-site.ts";
import { type UploadOptions, validateSites, WriteFailure, writeSites } from "./upload.ts";

async function* sitesNamed(refs: readonly string[]): AsyncGenerator<CheckedSite> {
  for (const [index, ref] of refs.entries()) {
    const site = makeSite({ ref, latitude: 1.3, longitude: 103.8, kind: SiteKind.PARCEL_TERMINAL });
    yield { kind: "site", row: index + 1, line: index + 2, site, agreesWithCountry: true };
  }
}

function refs(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `R${index + 1}`);
}

function options({ client }: ScriptedDirectory, count: number, changes: Partial<UploadOptions> = {}): UploadOptions {
  return {
    directory: client,
    sites: sitesNamed(refs(count)),
    parallel: 1,
    signal: new AbortController().signal,
    retryDelaysMs: [0, 0],
    ...changes,
  };
}

async function failureOf(work: Promise<unknown>): Promise<WriteFailure> {
  return work.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: unknown) => {
      if (error instanceof WriteFailure) return error;
      throw error;
    },
  );
}

describe("writing", () => {
  test("sends a hundred sites at once and counts the results", async () => {
    const directory = createScriptedDirectory(undefined, ["R5"]);
    const progress: number[] = [];
    const counts = await writeSites(options(directory, 250, { onProgress: (done) => progress.push(done) }));
    expect(counts).toEqual({ created: 249, updated: 1, unchanged: 0 });
    expect(directory.calls.map(({ count }) => count)).toEqual([100, 100, 50]);
    expect(progress).toEqual([100, 200, 250]);
  });

  test.each(["lose request", "lose answer"] as const)(
    "is repeated with the same request id where the connection breaks: %s",
    async (what) => {
      const directory = createScriptedDirectory((_, number) => (number === 2 ? what : "answer"));
      expect(await writeSites(options(directory, 150))).toEqual({ created: 150, updated: 0, unchanged: 0 });
      expect(directory.calls[1]?.requestId).toBe(directory.calls[2]?.requestId);
      expect(new Set(directory.calls.map(({ requestId }) => requestId)).size).toBe(2);
    },
  );

  test("is retried for transient reasons", async () => {
    const directory = createScriptedDirectory((_, number) => (number === 1 ? new PetakError("CONFLICT", "again") : "answer"));
    expect(await writeSites(options(directory, 10))).toMatchObject({ created: 10 });
  });

  test("that is refused permanently undoes only what it created", async () => {
    const directory = createScriptedDirectory(
      (_, number) => (number === 3 ? new PetakError("ROLE_REQUIRED", "no") : "answer"),
      ["R1", "other"],
    );
    const failure = await failureOf(writeSites(options(directory, 250)));
    expect(directory.standing()).toEqual(["R1", "other"]);
    expect(failure).toMatchObject({ counts: { created: 199, updated: 1 }, retired: 199, left: 0 });
    expect(failure.cause).toMatchObject({ message: expect.stringContaining("no") });
  });

  test("whose responses are lost repeatedly checks the result of the batch, and undoes it too", async () => {
    const directory = createScriptedDirectory((method, number) =>
      method === "upsert" && number >= 2 && number <= 4 ? "lose answer" : "answer",
    );
    const failure = await failureOf(writeSites(options(directory, 150)));
    expect(directory.standing()).toEqual([]);
    expect(failure).toMatchObject({ retired: 150, left: 0 });
  });

  test("reports how many sites remain if the gateway is gone", async () => {
    const directory = createScriptedDirectory((method, number) => (method === "retire" || number > 2 ? "gone" : "answer"));
    const failure = await failureOf(writeSites(options(directory, 250)));
    expect(failure).toMatchObject({ counts: { created: 200 }, retired: 0, left: 250 });
  });

  test("that is interrupted completes the running batch and undoes it", async () => {
    const controller = new AbortController();
    const directory = createScriptedDirectory((method, number) => {
      if (method === "upsert" && number === 2) controller.abort(new Error("Interrupted."));
      return "answer";
    });
    const failure = await failureOf(writeSites(options(directory, 500, { signal: controller.signal })));
    expect(failure).toMatchObject({ counts: { created: 200 }, retired: 200, left: 0 });
    expect(directory.standing()).toEqual([]);
  });

  test("is undone if reading the file fails", async () => {
    async function* failing(): AsyncGenerator<CheckedSite> {
      yield* sitesNamed(refs(120));
      throw new Error("the file changed");
    }
    const directory = createScriptedDirectory();
    const failure = await failureOf(writeSites(options(directory, 0, { sites: failing() })));
    expect(failure.cause).toMatchObject({ message: "the file changed" });
    expect(directory.standing()).toEqual([]);
  });
});

describe("asking", () => {
  test("changes nothing and counts the sites that are there already", async () => {
    const directory = createScriptedDirectory(undefined, ["R1", "R2"]);
    expect(await validateSites(options(directory, 120))).toEqual({ refusals: [], existing: 2 });
    expect(directory.standing()).toEqual(["R1", "R2"]);
    expect(directory.calls.every(({ method }) => method === "validate")).toBe(true);
  });

  test("finds the sites that the gateway means by halving", async () => {
    const bad = new Set(["R7", "R64", "R130"]);
    const directory = createScriptedDirectory((_, __, { sites }) => {
      return sites.some(({ operatorSiteRef }) => bad.has(operatorSiteRef)) ? new PetakError("SITE_REGION_CHANGED", "it moved") : "answer";
    });
    const { refusals } = await validateSites(options(directory, 200));
    expect(refusals.map(({ row, line, reference, reason, message }) => [row, line, reference, reason, message])).toEqual([
      [7, 8, "R7", "gateway", "it moved [SITE_REGION_CHANGED]"],
      [64, 65, "R64", "gateway", "it moved [SITE_REGION_CHANGED]"],
      [130, 131, "R130", "gateway", "it moved [SITE_REGION_CHANGED]"],
    ]);
    expect(directory.calls.length).toBeLessThan(50);
  });

  test("validates alone the sites whose fields the gateway names", async () => {
    const directory = createScriptedDirectory((_, __, { sites }) => {
      const index = sites.findIndex(({ operatorSiteRef }) => operatorSiteRef === "R42");
      if (index < 0) return "answer";
      const field = `sites[${index}].time_zone`;
      return new PetakError("INVALID_FIELD", `${field}: no such zone`, {
        fieldViolations: [{ field, description: "no such zone", rule: "zone" }],
      });
    });
    const { refusals } = await validateSites(options(directory, 100));
    expect(refusals).toMatchObject([{ row: 42, message: "time_zone: no such zone [INVALID_FIELD]" }]);
    expect(directory.calls).toHaveLength(3);
  });

  test("fails if the refusal does not concern single sites", async () => {
    const directory = createScriptedDirectory(() => new PetakError("ROLE_REQUIRED", "operators only"));
    await expect(validateSites(options(directory, 100))).rejects.toThrow("operators only");
    expect(directory.calls).toHaveLength(1);
  });
});
