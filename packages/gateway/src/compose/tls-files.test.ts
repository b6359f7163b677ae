import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { otherTestCertificate, otherTestKey, tempDir, testCertificate, testKey } from "@petak/testkit";
import { expect, onTestFinished, test } from "vitest";
import { createLogger } from "../observability/logger.ts";
import { createMetrics } from "../observability/metrics.ts";
import type { TlsIdentity } from "../transport/index.ts";
import { startTestGateway } from "../transport/testing/test-gateway.ts";
import { readTlsFiles, watchTlsFiles } from "./tls-files.ts";

async function startWatch() {
  const dir = await tempDir();
  const files = { cert: join(dir, "cert.pem"), key: join(dir, "key.pem") };
  await writeFile(files.cert, testCertificate);
  await writeFile(files.key, testKey);
  const used = await readTlsFiles(files);
  const gateway = await startTestGateway({ tls: used });
  const applied: TlsIdentity[] = [];
  const server = {
    replaceTls(identity: TlsIdentity) {
      gateway.server.replaceTls(identity);
      applied.push(identity);
    },
  };
  const lines: { level: number; msg: string }[] = [];
  const logger = createLogger({ destination: { write: (line) => void lines.push(JSON.parse(line)) } });
  const metrics = createMetrics({ processMetrics: false });
  const watch = watchTlsFiles({ files, used, server, intervalMs: 5, metrics, logger });
  onTestFinished(() => watch.stop());
  const errors = () => lines.filter(({ level }) => level === 50).length;
  return { files, applied, errors, metrics, lines };
}

/** In one step: a file that is being written would be seen half, and be refused once more. */
async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

test("changed files are used, and broken ones are not, which is said once", async () => {
  const { files, applied, errors, lines } = await startWatch();
  // The certificate first: for a moment the two do not match.
  await replaceFile(files.cert, otherTestCertificate);
  await expect.poll(errors).toBe(1);
  await replaceFile(files.key, otherTestKey);
  await expect.poll(() => applied).toEqual([{ cert: otherTestCertificate, key: otherTestKey }]);
  await rm(files.key);
  await expect.poll(errors).toBe(2);
  await replaceFile(files.key, otherTestKey);
  await replaceFile(files.cert, "nothing");
  await expect.poll(errors).toBe(3);
  await replaceFile(files.cert, testCertificate);
  await replaceFile(files.key, testKey);
  await expect.poll(() => applied.at(-1)).toEqual({ cert: testCertificate, key: testKey });
  expect(lines.at(-1)).toMatchObject({ level: 30, msg: "the gateway uses a new TLS certificate" });
});

test("the time until the end of the certificate is measured", async () => {
  const { metrics } = await startWatch();
  const [{ value } = { value: 0 }] = (await metrics.tlsCertificateEnd.get()).values;
  expect(value / 86_400).toBeGreaterThan(365);
});
