import { createHmac, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";

/** A key that signs deliveries to one webhook endpoint. */
export interface WebhookSigningKey {
  readonly privateKey: KeyObject;
  /** In the format of Standard Webhooks: `whpk_` and the 32 bytes in base64. */
  readonly publicKey: string;
}

/** DER prefix of an Ed25519 private key in PKCS #8 (RFC 8410). */
const pkcs8Head = Buffer.from("302e020100300506032b657004220420", "hex");

/**
 * Derives a key of an endpoint. No copy is stored: every gateway with the secrets can derive it, and access to the store alone does not reveal it.
 *
 * @param number number of the endpoint's key, from 1
 */
export function deriveWebhookKey(derivationKey: Uint8Array, endpointId: string, number: number): WebhookSigningKey {
  const seed = createHmac("sha256", derivationKey).update(`petak webhook key\0${endpointId}\0${number}`).digest();
  return webhookKeyFromSeed(seed);
}

/** The key of a seed of 32 bytes. */
export function webhookKeyFromSeed(seed: Uint8Array): WebhookSigningKey {
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Head, seed]), format: "der", type: "pkcs8" });
  const { x = "" } = createPublicKey(privateKey).export({ format: "jwk" });
  return { privateKey, publicKey: `whpk_${Buffer.from(x, "base64url").toString("base64")}` };
}
