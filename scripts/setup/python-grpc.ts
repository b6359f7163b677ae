/**
 * Ensures that the system's Python has the modules of the Python examples, by installing them if that is permitted. Never fails, because
 * only the tests of those examples use them: without the modules they are skipped and say why.
 */
import { findPackageManager } from "./package-managers.ts";
import { withProgress } from "./progress.mjs";
import { run } from "./run.mjs";

const packageNames = ["python3-grpcio", "python3-protobuf", "python3-jwt", "python3-cryptography"];

/** Whether the modules are installed. Only the system's own Python finds packages of the system's package manager. */
async function isThere(): Promise<boolean> {
  return (await run("/usr/bin/python3", ["-c", "import grpc, google.protobuf, jwt, cryptography"])).code === 0;
}

if (!(await isThere())) {
  const { name = "", installLibraries } = (await findPackageManager()) ?? {};
  if (installLibraries !== undefined) {
    const { code, output } = await withProgress(`Installing gRPC and JWT for Python with ${name}`, () => installLibraries(packageNames));
    if (code !== 0) process.stderr.write(`${output}\nThe examples in Python are not tested: ${name} failed; its output is above.\n`);
  }
}
