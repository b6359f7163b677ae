import { execFile } from "node:child_process";

/** Whether there is a PHP on the path with an extension. */
export function hasPhp(extension: string): Promise<boolean> {
  return new Promise((resolve) => {
    execFile("php", ["-r", `exit((int) !extension_loaded("${extension}"));`], (error) => resolve(error === null));
  });
}
