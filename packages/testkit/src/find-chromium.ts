import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { promisify } from "node:util";

/** A browser program, found and asked for its version. */
export interface ChromiumProgram {
  /** Absolute path of the program. */
  path: string;
  /** Its version, e.g. `150.0.7871.181`. */
  version: string;
}

/** There is no Chromium here that will do. The message says what is wanted and how to name one. */
export class ChromiumError extends Error {
  override readonly name = "ChromiumError";
}

/** The oldest major version that will do: Ed25519 in WebCrypto came with Chromium 137. */
export const oldestChromium = 137;

/** The environment variable that names a browser outside of the path. */
export const chromiumVariable = "PETAK_CHROMIUM";

/** As Debian, Ubuntu and Google call it. */
const programNames = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** What `--version` prints: `Chromium 150.0.7871.181 built on …`, `Google Chrome 150.0.7871.181`. */
const versionPattern = /^(?:Chromium|Google Chrome) ((\d+)[\d.]*)/m;

/** A machine under load takes seconds to start so large a program. */
const askTimeoutMs = 60_000;

const run = promisify(execFile);

/**
 * The Chromium or Chrome that `PETAK_CHROMIUM` names, or else the first on the path that is new enough.
 *
 * @param environment where `PATH` and `PETAK_CHROMIUM` are read; the process's own, if left out
 * @throws ChromiumError where there is none, or only older ones
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
  if (named !== "") throw new ChromiumError(`${chromiumVariable} is "${named}", which is no ${wanted}.`);
  throw new ChromiumError(`No browser to test in: the tests need ${wanted}, on the PATH or named by ${chromiumVariable}.`);
}

async function askVersion(path: string): Promise<ChromiumProgram | undefined> {
  try {
    await access(path, constants.X_OK);
    const { stdout } = await run(path, ["--version"], { timeout: askTimeoutMs });
    const version = versionPattern.exec(stdout)?.[1];
    return version === undefined ? undefined : { path, version };
  } catch {
    // Not there, not executable, or a program that fails when asked: no browser for us, so the search goes on.
    return undefined;
  }
}
