/**
 * Ensures that there is zbarimg, a reader of codes that is nobody's of this project, by installing Debian's if that is permitted. Never fails, because only the test of
 * the codes that people scan uses it: without it, that test is skipped and says why.
 */
import { findPackageManager } from "./package-managers.ts";
import { withProgress } from "./progress.mjs";
import { run } from "./run.mjs";

const packageName = "zbar-tools";
const howToInstall =
  "The codes are not read by zbarimg: install it, e.g. with sudo apt-get install zbar-tools (Debian) or brew install zbar.";

const isThere = async () => (await run("zbarimg", ["--version"])).code === 0;

if (!(await isThere())) {
  const { name = "", installLibraries } = (await findPackageManager()) ?? {};
  const { output } =
    installLibraries === undefined
      ? { output: "" }
      : await withProgress(`Installing ${packageName} with ${name}`, () => installLibraries([packageName]));
  if (!(await isThere())) process.stderr.write(`${output === "" ? "" : `${output}\n`}${howToInstall}\n`);
}
