import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { findPackageManager } from "./package-managers.ts";

let dir = "";

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "petak-managers-"));
  vi.spyOn(process, "geteuid").mockReturnValue(1000);
  vi.stubEnv("PATH", `${dir}${delimiter}/nonexistent`);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true });
});

/** Installs a command on the PATH that records its arguments and then runs a script. */
function install(command: string, script = ""): void {
  writeFileSync(join(dir, command), `#!/bin/sh\necho "${command} $*" >> ${dir}/calls\n${script}\n`);
  chmodSync(join(dir, command), 0o755);
}

function calls(): string[] {
  return readFileSync(join(dir, "calls"), "utf8").trim().split("\n");
}

const sudo = `[ "$1" = --non-interactive ] && shift; [ "$1" = true ] || PATH=${"$PATH"}:/usr/bin:/bin "$@"`;
const policy = (redis: string, valkey: string): string =>
  `case "$2" in redis-server) echo "  Candidate: ${redis}";; valkey-server) echo "  Candidate: ${valkey}";; esac`;

test("without root and without a password-free sudo, no package manager may be used", async () => {
  install("apt-get");
  expect(await findPackageManager()).toBeUndefined();
  install("sudo", "exit 1");
  expect(await findPackageManager()).toBeUndefined();
});

test("Homebrew requires no root", async () => {
  install("brew");
  const manager = await findPackageManager();
  await manager?.install("redis");
  expect(manager?.name).toBe("brew");
  expect(calls().at(-1)).toBe("brew install redis");
});

test("apt-get installs only versions that are new enough, Redis first", async () => {
  install("sudo", sudo);
  install("apt-get");
  install("apt-cache", policy("5:8.0.2-3+deb13u1", "8.1.1+dfsg1-3"));
  expect(await (await findPackageManager())?.candidates()).toEqual(["redis-server", "valkey-server"]);
  install("apt-cache", policy("5:7.0.15-1~deb12u5", "8.0.1-1"));
  expect(await (await findPackageManager())?.candidates()).toEqual(["valkey-server"]);
  install("apt-cache", policy("5:7.2.4-1", "(none)"));
  expect(await (await findPackageManager())?.candidates()).toEqual(["redis-server"]);
});

test("the package index is updated if it has no suitable package", async () => {
  install("sudo", sudo);
  install("apt-get");
  install("apt-cache", `[ -e ${dir}/updated ] && ${policy("5:8.0.2-3", "(none)")}`);
  install("apt-get", `[ "$1" = update ] && : > ${dir}/updated`);
  expect(await (await findPackageManager())?.candidates()).toEqual(["redis-server"]);
});

test("apt-get installs no recommendations, asks no questions, and starts no service", async () => {
  install("sudo", sudo);
  install("apt-get", `PATH=$PATH:/usr/bin:/bin\nenv | grep -E '^(RUNLEVEL|DEBIAN_FRONTEND)=' | sort >> ${dir}/calls`);
  install("update-rc.d");
  const result = await (await findPackageManager())?.install("valkey-server");
  expect(result?.code).toBe(0);
  const done = calls().filter((call) => !call.startsWith("sudo"));
  expect(done.slice(-4)).toEqual([
    "apt-get install --yes --no-install-recommends valkey-server",
    "DEBIAN_FRONTEND=noninteractive",
    "RUNLEVEL=1",
    "update-rc.d valkey-server disable",
  ]);
});

test("on systemd the service is masked during the installation and disabled afterwards", async () => {
  install("sudo", sudo);
  install("test", "exit 0");
  install("systemctl");
  install("apt-get");
  await (await findPackageManager())?.install("redis-server");
  expect(calls().filter((call) => /^(systemctl|apt-get install)/.test(call))).toEqual([
    "systemctl mask redis-server.service",
    "apt-get install --yes --no-install-recommends redis-server",
    "systemctl unmask redis-server.service",
    "systemctl disable redis-server.service",
  ]);
});

test("if the index is outdated, it is updated and the installation is retried once", async () => {
  install("sudo", sudo);
  install("apt-get", `[ "$1" = update ] && : > ${dir}/updated; [ "$1" != install ] || [ -e ${dir}/updated ]`);
  install("update-rc.d");
  expect((await (await findPackageManager())?.install("redis-server"))?.code).toBe(0);
});

test("libraries are installed together, and no service is touched", async () => {
  install("sudo", sudo);
  install("systemctl");
  install("apt-get", `[ "$1" = update ] && : > ${dir}/updated; [ "$1" != install ] || [ -e ${dir}/updated ]`);
  const result = await (await findPackageManager())?.installLibraries?.(["python3-grpcio", "python3-jwt"]);
  expect(result?.code).toBe(0);
  expect(calls().filter((call) => /^(systemctl|apt-get (install|update))/.test(call))).toEqual([
    "apt-get install --yes --no-install-recommends python3-grpcio python3-jwt",
    "apt-get update",
    "apt-get install --yes --no-install-recommends python3-grpcio python3-jwt",
  ]);
});
