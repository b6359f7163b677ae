import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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
  dir = mkdtempSync(join(tmpdir(), "petak-ci-tools-"));
  command("sudo", `[ "$1" = --non-interactive ] && shift\nexec "$@"`);
  command("true", "exit 0");
  symlinkSync("/usr/bin/env", join(dir, "env"));
});

afterEach(() => rmSync(dir, { recursive: true }));

const setUp = () => run(process.execPath, ["scripts/setup/ci-tools.ts"], { env: { PATH: dir } });

test("a program is installed once, where it is missing", async () => {
  command("php", "exit 0");
  command("zsh", "exit 0");
  command("openssl", "exit 0");
  command("protoc", "exit 0");
  command("promtool", "exit 0");
  command("prometheus", "exit 0");
  command("apt-get", `case "$*" in *install*zbar-tools*) printf '#!/bin/sh\\n' > ${dir}/zbarimg; /bin/chmod 755 ${dir}/zbarimg;; esac`);
  const first = await setUp();
  expect([first.code, first.output.includes("Installing zbar-tools with apt-get: done")]).toEqual([0, true]);
  expect(await setUp()).toEqual({ code: 0, output: "" });
});

test("where it cannot be installed, it says what to install, and does not fail", async () => {
  const { code, output } = await setUp();
  expect(code).toBe(0);
  expect(output.trimEnd().split("\n")).toEqual([
    "The codes are not read by zbarimg: install it, e.g. with sudo apt-get install zbar-tools (Debian) or brew install zbar.",
    "The example in PHP is not run: install PHP, e.g. with sudo apt-get install php-cli (Debian) or brew install php.",
    "The completion for zsh is not tested: install it, e.g. with sudo apt-get install zsh (Debian) or brew install zsh.",
    "Clients with certificates are not tested: install openssl, e.g. with sudo apt-get install openssl (Debian) or brew install openssl.",
    "The schema is not compiled by protoc: install it, e.g. with sudo apt-get install protobuf-compiler (Debian) or brew install protobuf.",
    "The alert rules are not checked by promtool: install it, e.g. with sudo apt-get install promtool (Debian; prometheus before Debian 13) or brew install prometheus.",
    "The alert rules do not fire in a running Prometheus: install it, e.g. with sudo apt-get install prometheus (Debian) or brew install prometheus.",
  ]);
});
