/**
 * Ensures that there is a Chromium for the tests that run in a browser, by installing Debian's if that is permitted. Fails if there is none
 * and none can be installed.
 */
import { ChromiumError, chromiumVariable, findChromium } from "@petak/testkit/find-chromium";
import { findPackageManager } from "./package-managers.ts";
import { withProgress } from "./progress.mjs";

const howToInstall =
  `For example: sudo apt-get install chromium (Debian), sudo dnf install chromium, sudo apk add chromium; or install Google Chrome. ` +
  `If it is not on the PATH, name it, e.g. ${chromiumVariable}="/Applications/Google Chrome.app/Contents/MacOS/Google Chrome".`;

/** Debian's fonts for the scripts of South-East Asia. Without them a browser shows boxes; no test needs the letters, whoever looks at its pictures does. */
const fonts = ["fonts-noto-core"];

async function problemWithChromium(): Promise<string | undefined> {
  try {
    await findChromium();
    return undefined;
  } catch (error) {
    if (error instanceof ChromiumError) return error.message;
    throw error;
  }
}

/** Installs it. Returns the reason of a failure. */
async function install(): Promise<string | undefined> {
  const { name = "", installLibraries } = (await findPackageManager()) ?? {};
  if (installLibraries === undefined) return "apt-get is not here, or may not be used";
  const { code, output } = await withProgress(`Installing chromium with ${name}`, () => installLibraries(["chromium", ...fonts]));
  if (code === 0) return await problemWithChromium();
  process.stderr.write(`${output}\n`);
  return `${name} failed; its output is above`;
}

const problem = await problemWithChromium();
// A browser that the user named is not replaced.
const reason = problem === undefined || process.env[chromiumVariable] ? problem : await install();
if (problem !== undefined && reason !== undefined) {
  const notInstalled = reason === problem ? "" : ` It was not installed for you, because ${reason}.`;
  process.stderr.write(`${problem}${notInstalled} ${howToInstall}\n`);
  process.exitCode = 1;
}
