import { join } from "node:path";
import { courierModules, findPython } from "./find-python.ts";

/** The root of the repository. */
export const repositoryDir = join(import.meta.dirname, "../../..");

/** A courier's integration in one language. */
export interface CourierExample {
  language: string;
  /** The program and its first arguments. */
  command: readonly [program: string, ...args: string[]];
  /** Why it cannot run here. Undefined if it can. */
  obstacle?: string;
}

/** The examples of this repository. An example that cannot run here says why, also on standard error. */
export async function courierExamples(): Promise<CourierExample[]> {
  const python = await findPython(courierModules);
  const obstacle =
    "no Python here has grpc, google.protobuf, jwt and cryptography (Debian: python3-grpcio python3-protobuf python3-jwt python3-cryptography)";
  if (python === undefined) process.stderr.write(`The courier's example in Python is not tested: ${obstacle}.\n`);
  return [
    { language: "TypeScript", command: [process.execPath, join(repositoryDir, "examples/courier-typescript/courier.ts")] },
    {
      language: "Python",
      command: [python ?? "python3", join(repositoryDir, "examples/courier-python/courier.py")],
      ...(python === undefined ? { obstacle } : {}),
    },
  ];
}
