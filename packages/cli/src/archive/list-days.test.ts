import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createLayout } from "@petak/records";
import { tempDir } from "@petak/testkit";
import { expect, test } from "vitest";
import { runPetak } from "../../test/run-petak.ts";

test("an archive that nothing has left for yet says so", async () => {
  const directory = join(await tempDir(), "archive");
  const { identity } = createLayout(directory, "petak");
  await mkdir(dirname(identity), { recursive: true });
  await writeFile(identity, "{}");
  const list = (...args: string[]) => runPetak(["archive", "list", "--archive-dir", directory, ...args]);
  expect(await list()).toMatchObject({ exitCode: 0, stdout: "No days: nothing has left the records for this archive yet.\n" });
  expect(await list("--region", "836520")).toMatchObject({ stdout: expect.stringMatching(/^No days of region 836520: /) });
  expect(JSON.parse((await list("--json")).stdout)).toEqual({ days: [] });
});
