import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { otherTestCertificate, otherTestKey, tempDir, testCertificate, testKey } from "@petak/testkit";
import { expect, onTestFinished, test } from "vitest";
import { runPetak, startPetak } from "../testing/petak-process.ts";

test.each([
  ["one process", 1],
  ["two workers", 2],
])("SIGHUP lets a gateway of %s read its TLS files at once", async (_what, workers) => {
  const dir = await tempDir();
  const files = { cert: join(dir, "cert.pem"), key: join(dir, "key.pem") };
  await writeFile(files.cert, testCertificate);
  await writeFile(files.key, testKey);
  const flags = ["--port", "0", "--management", "127.0.0.1:0", "--data-dir", dir];
  const tls = ["--tls-cert", files.cert, "--tls-key", files.key];
  const petak = await startPetak(
    dir,
    ["gateway", ...flags, ...tls, "--workers", `${workers}`],
    workers === 1 ? /"gateway listens"/ : /"all workers listen"/,
  );
  onTestFinished(petak.kill);
  const said = (text: string) => petak.said().split(text).length - 1;

  process.kill(petak.child.pid ?? 0, "SIGHUP");
  // Only who asks is told so.
  await expect.poll(() => said("the TLS files are as before")).toBe(workers);
  await writeFile(files.cert, otherTestCertificate);
  await writeFile(files.key, otherTestKey);
  process.kill(petak.child.pid ?? 0, "SIGHUP");
  await expect.poll(() => said("the gateway uses a new TLS certificate")).toBe(workers);
});

test("a gateway whose certificate is not there says which setting names it, and what it must be", async () => {
  const dir = await tempDir();
  const { exitCode, stderr } = await runPetak(dir, [
    ...["gateway", "--port", "0", "--data-dir", dir],
    ...["--tls-cert", "/nope", "--tls-key", "/nope"],
  ]);
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining("--tls-cert (PETAK_TLS_CERT) names /nope, which does not exist.")]);
});
