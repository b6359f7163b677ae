import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { otherTestCertificate, otherTestKey, tempDir, testCertificate, testKey } from "@petak/testkit";
import { expect, onTestFinished, test } from "vitest";
import { createLogger } from "../observability/logger.ts";
import { createMetrics } from "../observability/metrics.ts";
import type { TlsIdentity } from "../transport/index.ts";
import { startTestGateway } from "../transport/testing/test-gateway.ts";
import { readTlsFiles } from "./tls-files.ts";
import { watchTlsFiles } from "./watch-tls-files.ts";

/** @param clock the time, in ms since 1970, while it is set */
async function startWatch(clock: { nowMs?: number } = {}) {
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
  const watch = watchTlsFiles({ files, used, server, intervalMs: 5, metrics, logger, now: () => clock.nowMs ?? Date.now() });
  onTestFinished(() => watch.stop());
  const errors = () => lines.filter(({ level }) => level === 50).length;
  return { files, applied, errors, metrics, lines, watch };
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

test.each([
  ["is not valid before 2026-11-28", Date.UTC(2026, 10, 25)],
  ["expired at 2126-11-04", Date.UTC(2126, 10, 5)],
])("a certificate is refused that %s, and used when its time is right", async (problem, wrongMs) => {
  const clock = { nowMs: wrongMs };
  const { files, applied, errors, lines, watch } = await startWatch(clock);
  // The one that it starts with is used whatever the time is, which is an error too.
  const before = errors();
  await replaceFile(files.key, otherTestKey);
  await replaceFile(files.cert, otherTestCertificate);
  await expect.poll(() => JSON.stringify(lines)).toContain(problem);
  await watch.reload();
  expect(errors()).toBeGreaterThan(before);
  expect(applied).toEqual([]);
  clock.nowMs = Date.UTC(2027, 0, 1);
  await expect.poll(() => applied).toEqual([{ cert: otherTestCertificate, key: otherTestKey }]);
  expect(watch.current()).toEqual(applied[0]);
});

test("a certificate that has expired at the start is used, and the log and the metric say so", async () => {
  const { lines, metrics } = await startWatch({ nowMs: Date.UTC(2126, 11, 1) });
  expect(lines[0]).toMatchObject({ level: 50, msg: expect.stringContaining("is refused by clients: it expired at 2126-10-31") });
  const [{ value } = { value: 0 }] = (await metrics.tlsCertificateEnd.get()).values;
  expect(value).toBeLessThan(0);
});

test("who asks for a reading gets an answer in the log, each time", async () => {
  const { files, errors, lines, watch } = await startWatch();
  await watch.reload();
  expect(lines.at(-1)).toMatchObject({ level: 30, msg: "the TLS files are as before" });
  await rm(files.cert);
  await watch.reload();
  const before = errors();
  await watch.reload();
  expect(errors()).toBe(before + 1);
});

test("the time until the end of the certificate is measured", async () => {
  const { metrics } = await startWatch();
  const [{ value } = { value: 0 }] = (await metrics.tlsCertificateEnd.get()).values;
  expect(value / 86_400).toBeGreaterThan(365);
});
