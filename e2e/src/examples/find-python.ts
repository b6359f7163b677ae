import { execFile } from "node:child_process";

/** The modules that the courier's example imports. */
export const courierModules = "grpc, google.protobuf, jwt, cryptography";

/**
 * The first Python in which the modules can be imported. The system's own Python is tried first, because packages are installed for it.
 *
 * @param modules as in a Python import statement: `jwt, cryptography`
 */
export async function findPython(modules: string): Promise<string | undefined> {
  for (const program of ["/usr/bin/python3", "python3"]) {
    const isFit = await new Promise<boolean>((resolve) => {
      execFile(program, ["-c", `import ${modules}`], (error) => resolve(error === null));
    });
    if (isFit) return program;
  }
  return undefined;
}
