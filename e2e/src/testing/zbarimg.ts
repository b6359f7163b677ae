import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { tempDir } from "@petak/testkit";

const run = promisify(execFile);

/** Why zbarimg reads nothing on this machine. Undefined: it does. The set-up installs it where it may. */
export const zbarimgObstacle = await run("zbarimg", ["--version"]).then(
  () => undefined,
  () => "zbarimg is not installed: e.g. sudo apt-get install zbar-tools",
);

/** The text of the one code in a picture, as zbarimg reads it. Call it within a test. @param picture PNG or portable graymap */
export async function readByZbarimg(picture: Uint8Array): Promise<string> {
  const file = join(await tempDir(), "code");
  await writeFile(file, picture);
  const { stdout } = await run("zbarimg", ["--quiet", "--raw", "--nodbus", file]);
  return stdout.replace(/\n$/, "");
}
