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
  dir = mkdtempSync(join(tmpdir(), "petak-servers-"));
  command("redis-server", "echo 'Redis server v=8.0.0 '");
  command("sudo", `[ "$1" = --non-interactive ] && shift\nexec "$@"`);
  command("apt-cache", `echo "  Candidate: 9.0.0-1"`);
  command(
    "apt-get",
    `case "$*" in *install*valkey-server*) echo '#!/bin/sh\necho Valkey server v=9.0.0 ' > ${dir}/valkey-server; /bin/chmod 755 ${dir}/valkey-server;; esac`,
  );
  for (const name of ["update-rc.d", "systemctl", "test", "true"]) command(name, "exit 0");
  symlinkSync("/usr/bin/env", join(dir, "env"));
});

afterEach(() => rmSync(dir, { recursive: true }));

const setUp = (...args: string[]) => run(process.execPath, ["scripts/setup/redis-server.ts", ...args], { env: { PATH: dir } });

test("one server suffices to run", async () => {
  expect(await setUp()).toEqual({ code: 0, output: "" });
  expect(existsSync(join(dir, "valkey-server"))).toBe(false);
});

test("for tests the other server is also installed, once", async () => {
  const { code, output } = await setUp("--both");
  expect(code).toBe(0);
  expect(output).toContain("valkey-server is installed.");
  expect(await setUp("--both")).toEqual({ code: 0, output: "" });
});

test("tests continue without the other server if it may not be installed", async () => {
  rmSync(join(dir, "apt-get"));
  expect(await setUp("--both")).toEqual({ code: 0, output: "" });
});
