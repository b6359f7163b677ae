import { readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { generateKeyPair } from "@petak/credential";
import { tempDir } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { loadGatewaySecrets } from "./gateway-secrets.ts";
import { installCertificates, prepareIssuerKeys } from "./install-certificates.ts";
import { type IssuerCertificates, readIssuerCertificates } from "./issuer-certificates.ts";
import { epochInForce, signingKey, trustBundleAt } from "./issuer-epochs.ts";
import { certifyIssuerKeys, noCertificates, revokeIssuerKey } from "./root-statements.ts";
import { readIssuerKeyPeriods, rotateIssuer } from "./rotate-issuer.ts";
import { earliestAnnouncementMs } from "./rotation.ts";

const dayMs = 86_400_000;
const startMs = Date.UTC(2026, 10, 24);
const root = await generateKeyPair();

interface Network {
  path: string;
  secrets: Awaited<ReturnType<typeof loadGatewaySecrets>>;
  certificates: IssuerCertificates;
}

/** A gateway's secrets with some keys made in advance, all certified by the root and installed. */
async function certifiedNetwork({ spares = 2, days = 365 } = {}): Promise<Network> {
  const path = join(await tempDir(), "gateway-secrets.json");
  const secrets = await loadGatewaySecrets(path, () => startMs);
  const keys = await prepareIssuerKeys(path, spares);
  expect(keys).toHaveLength(spares + 1);
  const certificates = await certifyIssuerKeys(root.privateJwk, keys, { days, nowMs: startMs });
  await installCertificates(path, certificates, { nowMs: startMs });
  await secrets.refresh();
  return { path, secrets, certificates };
}

const bundleOf = ({ secrets }: Network, atMs: number) => trustBundleAt(secrets.issuerEpochs(), atMs, secrets.issuerCertificates());

async function revoke({ path, secrets, certificates }: Network, keyId: string, nowMs: number) {
  const revoked = await revokeIssuerKey(root.privateJwk, keyId, { before: certificates, nowMs });
  const installed = await installCertificates(path, revoked, { nowMs });
  await secrets.refresh();
  return installed;
}

describe("certified issuer keys", () => {
  it("are given to agents with their certificates, and the version says when the root signed them", async () => {
    const network = await certifiedNetwork();
    const { issuerKeys, version } = bundleOf(network, startMs + dayMs);
    expect(issuerKeys.map(({ certificate }) => certificate)).toEqual([network.certificates.certificates[0]?.text]);
    expect(Number(version) * 1000).toBe(startMs);
  });

  it("are the ones that rotations take, in their order, until none is left", async () => {
    const network = await certifiedNetwork();
    const ids = network.certificates.certificates.map(({ keyId }) => keyId);
    let nowMs = startMs + dayMs;
    for (const expected of [ids[1], ids[2]]) {
      const epochs = await rotateIssuer(network.path, nowMs);
      expect(epochs.at(-1)?.key.keyId).toBe(expected);
      nowMs = earliestAnnouncementMs(epochs, nowMs);
    }
    await expect(rotateIssuer(network.path, nowMs)).rejects.toThrow(/certified no key for an epoch that begins at 2027-/);
  });

  it("whose certificates end before an epoch begins are no keys for it", async () => {
    const { path } = await certifiedNetwork({ days: 7 });
    await expect(rotateIssuer(path, startMs)).rejects.toThrow(/certified no key for an epoch/);
  });

  it("that were made in advance can be made anew", async () => {
    const { path } = await certifiedNetwork();
    const [signs, ...before] = await prepareIssuerKeys(path, 2);
    const [stillSigns, ...fresh] = await prepareIssuerKeys(path, 2, { isFresh: true });
    expect(stillSigns).toEqual(signs);
    expect(fresh).toHaveLength(2);
    for (const key of fresh) expect(before).not.toContainEqual(key);
  });
});

describe("a revocation", () => {
  it("ends the key that signs, and the next certified key takes its place from its beginning", async () => {
    const network = await certifiedNetwork();
    const [leaked, next] = network.certificates.certificates;
    const nowMs = startMs + 30 * dayMs;
    const { endedKeyIds, epochs } = await revoke(network, leaked?.keyId ?? "", nowMs);
    expect([endedKeyIds, epochs.map(({ key }) => key.keyId)]).toEqual([[leaked?.keyId], [next?.keyId]]);
    // What was asked for before gets the same token by the new key.
    expect(signingKey(network.secrets.issuerEpochs(), startMs + dayMs).keyId).toBe(next?.keyId);
    const { issuerKeys, revocations, version } = bundleOf(network, nowMs + 1000);
    expect(issuerKeys.map(({ keyId }) => keyId)).toEqual([next?.keyId]);
    expect(revocations).toHaveLength(1);
    expect(Number(version) * 1000).toBe(nowMs);
    // Its receipts can still be verified, up to now.
    expect(await readIssuerKeyPeriods(network.path)).toMatchObject([{ keyId: leaked?.keyId, signsUntilMs: nowMs }, { keyId: next?.keyId }]);
  });

  it("lets the announced key sign at once, which agents know already", async () => {
    const network = await certifiedNetwork();
    const [leaked, announced] = network.certificates.certificates;
    await rotateIssuer(network.path, startMs + dayMs);
    const { epochs } = await revoke(network, leaked?.keyId ?? "", startMs + 2 * dayMs);
    expect(epochs.map(({ key }) => key.keyId)).toEqual([announced?.keyId]);
    expect(epochInForce(epochs, startMs + 2 * dayMs).key.keyId).toBe(announced?.keyId);
  });

  it("leaves the epoch before in force for its tokens, and ends an announced key or an earlier one alone", async () => {
    const rotated = async () => {
      const network = await certifiedNetwork();
      await rotateIssuer(network.path, startMs);
      return network;
    };
    const ids = (epochs: Awaited<ReturnType<typeof revoke>>["epochs"]) => epochs.map(({ key }) => key.keyId);
    const secondSignsMs = startMs + 9 * dayMs;
    const one = await rotated();
    const [first, second, third] = one.certificates.certificates.map(({ keyId }) => keyId);
    expect(ids((await revoke(one, second ?? "", secondSignsMs)).epochs)).toEqual([first, third]);
    const announced = await rotated();
    const [before, after] = announced.certificates.certificates.map(({ keyId }) => keyId);
    expect(ids((await revoke(announced, after ?? "", startMs + dayMs)).epochs)).toEqual([before]);
    const earlier = await rotated();
    const [old, current] = earlier.certificates.certificates.map(({ keyId }) => keyId);
    expect(ids((await revoke(earlier, old ?? "", secondSignsMs)).epochs)).toEqual([current]);
  });

  it("without another certified key changes nothing", async () => {
    const network = await certifiedNetwork({ spares: 0 });
    const before = await readFile(network.path, "utf8");
    const [leaked] = network.certificates.certificates;
    await expect(revoke(network, leaked?.keyId ?? "", startMs + dayMs)).rejects.toThrow(/no other certified key is left/);
    expect(await readFile(network.path, "utf8")).toBe(before);
    expect((await readdir(dirname(network.path))).sort()).toEqual(["gateway-secrets.json", "issuer-certificates.json"]);
  });

  it("that was cut off after the certificates were written is completed by the same call, and no agent gets the key meanwhile", async () => {
    const network = await certifiedNetwork();
    const [leaked, next] = network.certificates.certificates;
    const secretsBefore = await readFile(network.path, "utf8");
    await revoke(network, leaked?.keyId ?? "", startMs + dayMs);
    await writeFile(network.path, secretsBefore);
    await network.secrets.refresh();
    expect(bundleOf(network, startMs + dayMs)).toMatchObject({ issuerKeys: [], revocations: [expect.any(String)] });
    const { certificates } = network;
    const revoked = (await readIssuerCertificates(join(dirname(network.path), "issuer-certificates.json"))) ?? certificates;
    const { epochs } = await installCertificates(network.path, revoked, { nowMs: startMs + dayMs + 1 });
    expect(epochs.map(({ key }) => key.keyId)).toEqual([next?.keyId]);
  });

  it("is never forgotten by an older file, nor its key certified again", async () => {
    const network = await certifiedNetwork();
    const [leaked] = network.certificates.certificates;
    await revoke(network, leaked?.keyId ?? "", startMs + dayMs);
    await installCertificates(network.path, network.certificates, { nowMs: startMs + 2 * dayMs });
    await network.secrets.refresh();
    expect(network.secrets.issuerCertificates()?.revocations.map(({ keyId }) => keyId)).toEqual([leaked?.keyId]);
    const before = network.secrets.issuerCertificates();
    const again = certifyIssuerKeys(root.privateJwk, [leaked?.publicKey ?? new Uint8Array()], { before, days: 365, nowMs: startMs });
    await expect(again).rejects.toThrow("a revoked key is never certified again");
    const twice = revokeIssuerKey(root.privateJwk, leaked?.keyId ?? "", { before: before ?? network.certificates, nowMs: startMs });
    await expect(twice).rejects.toThrow("is revoked already");
  });
});

describe("a file of certificates", () => {
  it("by another root, or without the key that signs, is not installed", async () => {
    const { path, certificates } = await certifiedNetwork();
    const other = await generateKeyPair();
    const keys = certificates.certificates.map(({ publicKey }) => publicKey);
    const others = await certifyIssuerKeys(other.privateJwk, keys, { days: 365, nowMs: startMs });
    await expect(installCertificates(path, others, { nowMs: startMs })).rejects.toThrow("which the devices know");
    await installCertificates(path, others, { nowMs: startMs, isNewRoot: true });
    const none = await noCertificates(other.privateJwk);
    const bare = join(await tempDir(), "gateway-secrets.json");
    await loadGatewaySecrets(bare, () => startMs);
    await expect(installCertificates(bare, none, { nowMs: startMs })).rejects.toThrow(/have none in force for the key/);
  });

  it("that is damaged is refused in one sentence, and a running gateway goes on with what it had", async () => {
    const { path, secrets, certificates } = await certifiedNetwork();
    const file = join(dirname(path), "issuer-certificates.json");
    const good = await readFile(file, "utf8");
    const [text = ""] = certificates.certificates.map((one) => one.text);
    const damaged: [string, RegExp][] = [
      ["{", /is not JSON$/],
      ['{"version":2}', /is not a file of issuer certificates of version 1$/],
      [good.replace(text, `${text.slice(0, -4)}AAAA`), /certificate 1 is not good \(signature; /],
      [good.replace(/"root_key": ".*"/, '"root_key": "AA"'), /must have a root_key of 32 bytes/],
    ];
    for (const [content, message] of damaged) {
      await writeFile(file, content);
      await expect(secrets.refresh()).rejects.toThrow(message);
      await expect(loadGatewaySecrets(path)).rejects.toThrow(message);
    }
    expect(secrets.issuerCertificates()?.certificates).toHaveLength(3);
  });
});
