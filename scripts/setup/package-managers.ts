import { minimumVersions } from "@petak/redis/server";
import { run } from "./run.mjs";

/** A package manager of the system. */
export interface PackageManager {
  name: string;
  /** Names of packages with a suitable Redis or Valkey server, best first. */
  candidates(): Promise<string[]>;
  /** Installs one of them without starting or enabling its service. */
  install(packageName: string): Promise<{ code: number; output: string }>;
  /** Installs packages without services. Present only if package names are Debian's. */
  installLibraries?(packageNames: readonly string[]): Promise<{ code: number; output: string }>;
}

/** The package manager that may be used: as root, or through a password-free `sudo`; Homebrew requires neither. */
export async function findPackageManager(): Promise<PackageManager | undefined> {
  const privilege = await findPrivilege();
  if (privilege !== undefined) {
    if (await exists("apt-get")) return aptGet(privilege);
    if (await exists("apk")) return simple("apk", ["valkey", "redis"], [...privilege, "apk", "add", "--no-cache"]);
    if (await exists("dnf")) return simple("dnf", ["valkey", "redis"], [...privilege, "dnf", "install", "--assumeyes"]);
  }
  if (await exists("brew")) return simple("brew", ["redis", "valkey"], ["brew", "install"]);
  return undefined;
}

/** The prefix of a command that runs as root; undefined if that requires a password. */
async function findPrivilege(): Promise<string[] | undefined> {
  if (process.geteuid?.() === 0) return [];
  const { code } = await run("sudo", ["--non-interactive", "true"]);
  return code === 0 ? ["sudo", "--non-interactive"] : undefined;
}

/** Package managers whose packages do not start services: those of OpenRC, Fedora and Homebrew. */
function simple(name: string, packageNames: string[], command: string[]): PackageManager {
  return {
    name,
    candidates: async () => packageNames,
    install: (packageName) => runAll([[...command, packageName]]),
  };
}

/** Debian's and Ubuntu's apt-get, whose packages enable a service and start it on the well-known port unless prevented. */
function aptGet(privilege: string[]): PackageManager {
  const update = [...privilege, "apt-get", "update"];
  const installAll = async (packageNames: readonly string[]) => {
    // Runlevel 1 prevents services from starting on systems without systemd; needrestart would restart other services and ask questions.
    const settings = ["RUNLEVEL=1", "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1"];
    const installing = [...privilege, "env", ...settings, "apt-get", "install", "--yes", "--no-install-recommends", ...packageNames];
    const result = await runAll([installing]);
    // The package index may name versions that the archive no longer has.
    return result.code === 0 ? result : runAll([update, installing]);
  };
  const offered = async (): Promise<string[]> => {
    const names: string[] = [];
    for (const flavour of ["redis", "valkey"] as const) {
      const name = `${flavour}-server`;
      const { output } = await run("apt-cache", ["policy", name]);
      // E.g. `Candidate: 5:8.0.2-3`. The number before the colon is the epoch of the version numbering.
      const [, major = 0, minor = 0] = /Candidate: (?:\d+:)?(\d+)\.(\d+)/.exec(output) ?? [];
      const [oldestMajor, oldestMinor] = minimumVersions[flavour];
      if (Number(major) > oldestMajor || (Number(major) === oldestMajor && Number(minor) >= oldestMinor)) names.push(name);
    }
    return names;
  };
  return {
    name: "apt-get",
    candidates: async () => {
      const known = await offered();
      if (known.length > 0) return known;
      await runAll([update]);
      return offered();
    },
    install: async (packageName) => {
      const unit = `${packageName}.service`;
      const hasSystemd = (await run("test", ["-d", "/run/systemd/system"])).code === 0;
      // The package cannot start a masked unit. Afterwards the service is disabled.
      const before = hasSystemd ? [[...privilege, "systemctl", "mask", unit]] : [];
      const after = hasSystemd
        ? [
            [...privilege, "systemctl", "unmask", unit],
            [...privilege, "systemctl", "disable", unit],
          ]
        : [[...privilege, "update-rc.d", packageName, "disable"]];
      const masked = await runAll(before);
      if (masked.code !== 0) return masked;
      const result = await installAll([packageName]);
      const cleared = await runAll(after);
      return result.code === 0 ? cleared : result;
    },
    installLibraries: installAll,
  };
}

async function exists(command: string): Promise<boolean> {
  return (await run(command, ["--version"])).code !== 127;
}

/** Runs commands one after another, up to the first that fails. */
async function runAll(commands: string[][]): Promise<{ code: number; output: string }> {
  let last = { code: 0, output: "" };
  for (const [command = "", ...args] of commands) {
    last = await run(command, args);
    if (last.code !== 0) return last;
  }
  return last;
}
