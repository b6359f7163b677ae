/**
 * Sees to it that the system's Python has what the examples in Python need, installing it where that is permitted. Nothing else needs
 * it, so this never fails: where it cannot be had, the tests of those examples are skipped and say why.
 */
import { findPackageManager } from "./package-managers.ts";
import { withProgress } from "./progress.mjs";
import { run } from "./run.mjs";

const packageNames = ["python3-grpcio", "python3-protobuf", "python3-jwt", "python3-cryptography"];

/** Whether it is there. Only the system's own Python finds what the system's package manager installs. */
async function isThere(): Promise<boolean> {
  return (await run("/usr/bin/python3", ["-c", "import grpc, google.protobuf, jwt, cryptography"])).code === 0;
}

if (!(await isThere())) {
  const { name = "", installLibraries } = (await findPackageManager()) ?? {};
  if (installLibraries !== undefined) {
    const { code, output } = await withProgress(`Installing gRPC and JWT for Python with ${name}`, () => installLibraries(packageNames));
    if (code !== 0) process.stderr.write(`${output}\nThe examples in Python are not tested: ${name} failed, and said why above.\n`);
  }
}
