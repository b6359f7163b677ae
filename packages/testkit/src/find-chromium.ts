import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { promisify } from "node:util";

/** An installed browser. */
export interface ChromiumProgram {
  /** Absolute path of the program. */
  path: string;
  /** Its version, e.g. `150.0.7871.181`. */
  version: string;
}

/** No suitable Chromium is installed. The message says what is required and how to give its path. */
export class ChromiumError extends Error {
  override readonly name = "ChromiumError";
}

/** Oldest supported major version: Chromium 137 added Ed25519 to WebCrypto. */
export const oldestChromium = 137;

/** Environment variable with the path of a browser. */
export const chromiumVariable = "PETAK_CHROMIUM";

/** Program names of Debian, Ubuntu and Google. */
const programNames = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** Output of `--version`: `Chromium 150.0.7871.181 built on …`, `Google Chrome 150.0.7871.181`. */
const versionPattern = /^(?:Chromium|Google Chrome) ((\d+)[\d.]*)/m;

/** Timeout of `--version`, in ms: a loaded machine takes seconds to start it. */
const askTimeoutMs = 60_000;

const run = promisify(execFile);

/**
 * Finds the Chromium or Chrome of `PETAK_CHROMIUM`, otherwise the first one on the path that is new enough.
 *
 * @param environment has `PATH` and `PETAK_CHROMIUM`. Default: the process's
 * @throws ChromiumError if there is none, or only older ones.
 */
export async function findChromium(environment: Readonly<Record<string, string | undefined>> = process.env): Promise<ChromiumProgram> {
  const named = environment[chromiumVariable] ?? "";
  const directories = (environment.PATH ?? "").split(delimiter).filter((entry) => entry !== "");
  const paths = named === "" ? programNames.flatMap((name) => directories.map((directory) => join(directory, name))) : [named];
  if (named !== "" && !isAbsolute(named)) throw new ChromiumError(`${chromiumVariable} is "${named}"; give an absolute path.`);
  let tooOld: ChromiumProgram | undefined;
  for (const path of paths) {
    const program = await askVersion(path);
    if (program === undefined) continue;
    if (Number(program.version.split(".")[0]) >= oldestChromium) return program;
    tooOld ??= program;
  }
  const wanted = `Chromium or Chrome ${oldestChromium} or newer`;
  if (tooOld !== undefined) throw new ChromiumError(`${tooOld.path} is version ${tooOld.version}; the tests need ${wanted}.`);
  if (named !== "") throw new ChromiumError(`${chromiumVariable} is "${named}", which is not ${wanted}.`);
  throw new ChromiumError(`No browser found: the tests need ${wanted}, on the PATH or given by ${chromiumVariable}.`);
}

async function askVersion(path: string): Promise<ChromiumProgram | undefined> {
  try {
    await access(path, constants.X_OK);
    const { stdout } = await run(path, ["--version"], { timeout: askTimeoutMs });
    const version = versionPattern.exec(stdout)?.[1];
    return version === undefined ? undefined : { path, version };
  } catch {
    // Missing, not executable, or failing: not a usable browser, so the search continues.
    return undefined;
  }
}
