import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempDir, useRedis } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { createGatewayIdentityStore } from "../stores/gateway-identity-store.ts";
import { checkSharedSecrets } from "./check-shared-secrets.ts";
import { loadGatewaySecrets } from "./gateway-secrets.ts";

const redis = useRedis();

/** What a gateway does at its start. */
async function check(path: string): Promise<void> {
  await checkSharedSecrets(createGatewayIdentityStore(redis.client, redis.keyPrefix), await loadGatewaySecrets(path), path);
}

describe("gateways over the same records", () => {
  it("start with the same secrets, again and again", async () => {
    const [one, other] = [join(await tempDir(), "secrets.json"), join(await tempDir(), "secrets.json")];
    await check(one);
    await writeFile(other, await readFile(one));
    await check(other);
    await check(one);
  });

  it("do not start with others, and say what differs and what to do", async () => {
    const [one, other] = [join(await tempDir(), "secrets.json"), join(await tempDir(), "secrets.json")];
    await check(one);
    await expect(check(other)).rejects.toThrow(
      /secrets\.json has not the secrets .* \(the issuer key and the derivation key differ\): copy gateway-secrets\.json .* another Redis/,
    );
    const mixed = { ...JSON.parse(await readFile(other, "utf8")), ...{ issuer_private_jwk: await jwkOf(one) } };
    await writeFile(other, JSON.stringify(mixed));
    await expect(check(other)).rejects.toThrow(/\(the derivation key differs\)/);
    await check(one);
  });

  it("leave nothing secret in Redis", async () => {
    const path = join(await tempDir(), "secrets.json");
    await check(path);
    const { issuerKey, derivationKey } = await loadGatewaySecrets(path);
    const noted = (await redis.client.get(createGatewayIdentityStore(redis.client, redis.keyPrefix).key)) ?? "";
    expect(JSON.parse(noted)).toEqual({
      issuerKey: expect.stringMatching(/^[0-9a-f]{64}$/),
      derivationKey: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(noted).not.toContain(Buffer.from(derivationKey).toString("hex"));
    expect(noted).not.toContain(Buffer.from(issuerKey.privateJwk.d, "base64url").toString("hex"));
  });
});

async function jwkOf(path: string): Promise<unknown> {
  return (JSON.parse(await readFile(path, "utf8")) as { issuer_private_jwk: unknown }).issuer_private_jwk;
}
