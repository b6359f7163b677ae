import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createLayout } from "@petak/records";
import { tempDir } from "@petak/testkit";
import { expect, test } from "vitest";
import { runPetak } from "../testing/run-petak.ts";

test("an empty archive is reported as such", async () => {
  const directory = join(await tempDir(), "archive");
  const { identity } = createLayout(directory, "petak");
  await mkdir(dirname(identity), { recursive: true });
  await writeFile(identity, "{}");
  const list = (...args: string[]) => runPetak(["archive", "list", "--archive-dir", directory, ...args]);
  expect(await list()).toMatchObject({ exitCode: 0, stdout: "No days: nothing has been archived yet.\n" });
  expect(await list("--region", "836520")).toMatchObject({ stdout: expect.stringMatching(/^No days of region 836520: /) });
  expect(JSON.parse((await list("--json")).stdout)).toEqual({ days: [] });
});

test.each(["list", "show res_836520_5jrqr641851jdkbc", "verify", "verify --rebuild-index"])(
  "an archive of another version is refused in one sentence: archive %s",
  async (command) => {
    const directory = join(await tempDir(), "archive");
    const { identity } = createLayout(directory, "petak");
    await mkdir(dirname(identity), { recursive: true });
    await writeFile(identity, '{"version":1,"id":"916398718259529586d30e4426c34892"}');
    const run = await runPetak(["archive", ...command.split(" "), "--archive-dir", directory]);
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toContain(
      `${identity} has version 1 and this release reads only version 2: start an earlier release that reads version 1, or give this one another archiveDir and Redis.`,
    );
  },
);
