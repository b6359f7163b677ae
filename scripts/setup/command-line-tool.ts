import { findPackageManager } from "./package-managers.ts";
import { withProgress } from "./progress.mjs";
import { run } from "./run.mjs";

/** A program that some tests run, and are skipped without. */
export interface CommandLineTool {
  command: string;
  /** Debian's package. */
  packageName: string;
  /** Said where it cannot be installed: what is not tested, and how to install it. */
  howToInstall: string;
}

/** Ensures that there is a tool, by installing Debian's if that is permitted. Never fails: where there is none, the tests that use it say why they are skipped. */
export async function ensureTool({ command, packageName, howToInstall }: CommandLineTool): Promise<void> {
  const isThere = async () => (await run(command, ["--version"])).code === 0;
  if (await isThere()) return;
  const { name = "", installLibraries } = (await findPackageManager()) ?? {};
  const { output } =
    installLibraries === undefined
      ? { output: "" }
      : await withProgress(`Installing ${packageName} with ${name}`, () => installLibraries([packageName]));
  if (!(await isThere())) process.stderr.write(`${output === "" ? "" : `${output}\n`}${howToInstall}\n`);
}
