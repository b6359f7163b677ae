import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { otherTestKey, tempDir, testCertificate, testKey } from "@petak/testkit";
import { expect, test } from "vitest";
import { readTlsFiles, type TlsFiles } from "./tls-files.ts";

async function writeFiles() {
  const dir = await tempDir();
  const files = { cert: join(dir, "cert.pem"), key: join(dir, "key.pem"), clientCa: join(dir, "clients.pem") };
  const [nothing, folder, noPem, otherKey] = ["nothing", "folder", "text", "other.pem"].map((name) => join(dir, name)) as [
    ...[string, string, string, string],
  ];
  await writeFile(files.cert, testCertificate);
  await writeFile(files.key, testKey);
  await writeFile(files.clientCa, testCertificate);
  await mkdir(folder);
  await writeFile(noPem, "no PEM");
  await writeFile(otherKey, otherTestKey);
  return { files, nothing, folder, noPem, otherKey };
}

test("files are read as they are", async () => {
  const { files } = await writeFiles();
  expect(await readTlsFiles(files)).toEqual({ cert: testCertificate, key: testKey, clientCa: testCertificate });
});

test("what cannot be used is refused with the setting, the path and what it must be", async () => {
  const { files, nothing, folder, noPem, otherKey } = await writeFiles();
  const refusalOf = (changed: Partial<TlsFiles>) =>
    readTlsFiles({ ...files, ...changed }).then(
      () => "none",
      ({ message }: Error) => message,
    );
  expect(await refusalOf({ cert: nothing })).toBe(
    `--tls-cert (PETAK_TLS_CERT) names ${nothing}, which does not exist. It must be a file with the certificate chain in PEM.`,
  );
  expect(await refusalOf({ key: folder })).toBe(
    `--tls-key (PETAK_TLS_KEY) names ${folder}, which is a folder. It must be a file with the certificate's private key in PEM, without a passphrase.`,
  );
  expect(await refusalOf({ clientCa: noPem })).toBe(
    `--tls-client-ca (PETAK_TLS_CLIENT_CA) names ${noPem}, which has something else in it. It must be a file with the authorities of clients in PEM.`,
  );
  expect(await refusalOf({ cert: noPem })).toContain("It must be a file with the certificate chain in PEM");
  expect(await refusalOf({ key: noPem })).toContain("--tls-key");
  expect(await refusalOf({ key: otherKey })).toBe(
    `The key in ${otherKey} (--tls-key) does not belong to the certificate in ${files.cert} (--tls-cert): write both files of the same renewal.`,
  );
});
