import { chmodSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { run } from "./run.mjs";

let dir = "";

/** Installs a command on the PATH, which contains nothing else. */
function command(name: string, script: string): void {
  writeFileSync(join(dir, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(dir, name), 0o755);
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "petak-chromium-"));
  command("sudo", `[ "$1" = --non-interactive ] && shift\nexec "$@"`);
  command("true", "exit 0");
  command(
    "apt-get",
    `case "$*" in *install*chromium*) echo '#!/bin/sh\necho Chromium 150.0.7871.181 built on Debian' > ${dir}/chromium; /bin/chmod 755 ${dir}/chromium;; esac`,
  );
  symlinkSync("/usr/bin/env", join(dir, "env"));
});

afterEach(() => rmSync(dir, { recursive: true }));

const setUp = (environment: Record<string, string> = {}) =>
  run(process.execPath, ["scripts/setup/chromium.ts"], { env: { PETAK_CHROMIUM: "", ...environment, PATH: dir } });

test("a browser on the PATH suffices, Chromium or Chrome, and nothing is installed", async () => {
  command("google-chrome", "echo 'Google Chrome 137.0.7151.55 '");
  expect(await setUp()).toEqual({ code: 0, output: "" });
  expect(existsSync(join(dir, "chromium"))).toBe(false);
});

test("without a browser, or with one that is too old, Debian's is installed once", async () => {
  command("google-chrome", "echo 'Google Chrome 136.0.7103.92 '");
  const { code, output } = await setUp();
  expect(code).toBe(0);
  expect(output).toContain("Installing chromium with apt-get: done");
  expect(await setUp()).toEqual({ code: 0, output: "" });
});

test("a named browser is used at any path, and is not replaced if it is unsuitable", async () => {
  command("mine", "echo 'Chromium 150.0.7871.181'");
  expect(await setUp({ PETAK_CHROMIUM: join(dir, "mine") })).toEqual({ code: 0, output: "" });
  const { code, output } = await setUp({ PETAK_CHROMIUM: join(dir, "yours") });
  expect(code).toBe(1);
  expect(output).toContain(`PETAK_CHROMIUM is "${join(dir, "yours")}", which is not Chromium or Chrome 137 or newer. For example: `);
  expect((await setUp({ PETAK_CHROMIUM: "mine" })).output).toContain("give an absolute path");
  expect(existsSync(join(dir, "chromium"))).toBe(false);
});

test("if nothing may be installed, it says what is required, why it is missing, and what to do", async () => {
  rmSync(join(dir, "apt-get"));
  const { code, output } = await setUp();
  expect(code).toBe(1);
  expect(output).toBe(
    "No browser found: the tests need Chromium or Chrome 137 or newer, on the PATH or given by PETAK_CHROMIUM. It was not installed for you, because apt-get is not here, " +
      "or may not be used. For example: sudo apt-get install chromium (Debian), sudo dnf install chromium, sudo apk add chromium; or install Google Chrome. If it is " +
      'not on the PATH, name it, e.g. PETAK_CHROMIUM="/Applications/Google Chrome.app/Contents/MacOS/Google Chrome".\n',
  );
});

test("the output of a failed package manager is shown", async () => {
  command("apt-get", "echo 'E: no space left'; exit 100");
  const { code, output } = await setUp();
  expect(code).toBe(1);
  expect(output).toContain("E: no space left");
  expect(output).toContain("because apt-get failed; its output is above.");
});
