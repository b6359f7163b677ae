import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { usePickerBrowser } from "@petak/picker/testing/browser";
import { createTempDir, processEnv, type TempDir } from "@petak/testkit";
import { beforeAll, expect, test } from "vitest";
import { repositoryDir } from "../examples/courier-examples.ts";

let temp: TempDir;
let demo: ReturnType<typeof spawn>;
let said = "";
const browser = usePickerBrowser((origin) => [addressOf("The picker"), addressOf("Its gateway")].includes(origin));

/** What the demonstration has printed after a word. */
const addressOf = (word: string): string => new RegExp(`${word}: +(\\S+)`).exec(said)?.[1] ?? "";

beforeAll(async () => {
  temp = await createTempDir();
  demo = spawn(process.execPath, [join(repositoryDir, "scripts/picker-demo.mjs"), "--port", "0", "--demo-sites", "300"], {
    env: processEnv({ HOME: process.env.HOME ?? "", TMPDIR: temp.path, NO_COLOR: "1" }),
    stdio: "pipe",
  });
  const exited = once(demo, "exit");
  demo.stdout?.on("data", (piece: Buffer) => {
    said += piece.toString();
  });
  return async () => {
    demo.kill("SIGTERM");
    await exited;
    await temp.remove();
  };
});

test("one command shows the picker before a gateway of its own, and says what to change", async () => {
  await expect.poll(() => said, { timeout: 120_000 }).toContain("Stop with Ctrl-C");
  const page = await browser.open(addressOf("The picker"), { viewport: { width: 1040, height: 844 } });
  await page.locator(".map-marker").first().waitFor();
  await page.getByRole("button", { name: "Collect here" }).click();
  await page.getByText("You collect at").waitFor();
  await page.getByText(/place-choice=eyJ/).waitFor();
  const [, file = ""] = /anything else in (\S+\/page\.html),/.exec(said) ?? [];
  expect(await readFile(file, "utf8")).toContain("<petak-picker");
  expect(addressOf("Its key")).toMatch(/^pk_test_/);
  const exited = once(demo, "exit");
  demo.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);
  expect(await readdir(temp.path)).toEqual([]);
});
