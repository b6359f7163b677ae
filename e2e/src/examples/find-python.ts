import { execFile } from "node:child_process";

/** What the courier's example imports. */
export const courierModules = "grpc, google.protobuf, jwt, cryptography";

/**
 * The first Python that has what an example imports. The system's own comes first: it is the one that packages are installed for.
 *
 * @param modules what is imported, as Python writes it: `jwt, cryptography`
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
