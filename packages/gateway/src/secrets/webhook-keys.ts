import { createHmac, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";

/** A key with which deliveries to one webhook endpoint are signed. */
export interface WebhookSigningKey {
  readonly privateKey: KeyObject;
  /** As Standard Webhooks writes it: `whpk_` and the 32 bytes in base64. */
  readonly publicKey: string;
}

/** What stands before the 32 bytes of an Ed25519 private key in PKCS #8 (RFC 8410). */
const pkcs8Head = Buffer.from("302e020100300506032b657004220420", "hex");

/**
 * The nth key of an endpoint. It follows from the derivation key, so that no copy of it is kept anywhere, every gateway that shares the secrets
 * has it, and whoever reads the records learns nothing with which to sign.
 *
 * @param number counts the endpoint's keys, from 1
 */
export function deriveWebhookKey(derivationKey: Uint8Array, endpointId: string, number: number): WebhookSigningKey {
  const seed = createHmac("sha256", derivationKey).update(`petak webhook key\0${endpointId}\0${number}`).digest();
  return webhookKeyFromSeed(seed);
}

/** The key with a seed of 32 bytes. */
export function webhookKeyFromSeed(seed: Uint8Array): WebhookSigningKey {
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Head, seed]), format: "der", type: "pkcs8" });
  const { x = "" } = createPublicKey(privateKey).export({ format: "jwk" });
  return { privateKey, publicKey: `whpk_${Buffer.from(x, "base64url").toString("base64")}` };
}
