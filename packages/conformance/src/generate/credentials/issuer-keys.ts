import { createHash } from "node:crypto";
import type { CredentialVector, VectorBundle } from "../../vectors/credential-vector.ts";
import { base64url, challenge, keyNamed } from "../signing.ts";
import { bundle, claims, currentKey, headerText, nowMs, nowS, opens, previousKey, refused, token, tokenIdNamed, vector } from "./scene.ts";

/** The 14 encodings of the points of low order, in hexadecimal as in RFC 8032: the 8 points, then their alternative encodings. */
const lowOrderKeys: readonly (readonly [id: string, what: string, order: bigint, hex: string])[] = [
  ["order-1", "The neutral point", 1n, `01${"00".repeat(31)}`],
  ["order-2", "The point of order 2", 2n, `ec${"ff".repeat(30)}7f`],
  ["order-4-even", "A point of order 4", 4n, "00".repeat(32)],
  ["order-4-odd", "The other point of order 4", 4n, `${"00".repeat(31)}80`],
  ["order-8-first", "The first point of order 8", 8n, "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"],
  ["order-8-second", "The second point of order 8", 8n, "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"],
  ["order-8-third", "The third point of order 8", 8n, "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"],
  ["order-8-fourth", "The fourth point of order 8", 8n, "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"],
  ["order-1-signed", "The neutral point, encoded with a wrong sign,", 1n, `01${"00".repeat(30)}80`],
  ["order-2-signed", "The point of order 2, encoded with a wrong sign,", 2n, `ec${"ff".repeat(31)}`],
  ["order-1-unreduced", "The neutral point, encoded as p + 1,", 1n, `ee${"ff".repeat(30)}7f`],
  ["order-1-unreduced-signed", "The neutral point, encoded as p + 1 with a sign,", 1n, `ee${"ff".repeat(31)}`],
  ["order-4-unreduced-even", "A point of order 4, encoded as p,", 4n, `ed${"ff".repeat(30)}7f`],
  ["order-4-unreduced-odd", "The other point of order 4, encoded as p,", 4n, `ed${"ff".repeat(31)}`],
];

function withKey(publicKey: Uint8Array, notAfterMs = bundle.not_after_ms): VectorBundle {
  return { ...bundle, issuer_keys: [{ key_id: currentKey.keyId, public_key: base64url(publicKey), not_after_ms: notAfterMs }] };
}

/**
 * A token that libraries accept under a key of low order. With the neutral point for R and zero for S it needs a message whose challenge is divisible by the order;
 * each attempt uses another token id.
 */
function signedByNobody(publicKey: Uint8Array, order: bigint): string {
  const r = Buffer.from(`01${"00".repeat(31)}`, "hex");
  for (let attempt = 0; ; attempt += 1) {
    const payload = JSON.stringify({ ...claims, jti: tokenIdNamed(`low order ${attempt}`) });
    const signed = `${base64url(headerText())}.${base64url(payload)}`;
    if (challenge(r, publicKey, signed) % order === 0n) return `${signed}.${base64url(Buffer.concat([r, Buffer.alloc(32)]))}`;
  }
}

const good = { token: token() };
const previous = { token: token({}, "petak-deposit", previousKey) };
const untilNow = (changeMs: number): VectorBundle => ({
  ...bundle,
  issuer_keys: bundle.issuer_keys.map((key) => (key.key_id === previousKey.keyId ? { ...key, not_after_ms: nowMs + changeMs } : key)),
});

/** Trust bundles and their keys. */
export const issuerKeys: CredentialVector[] = [
  vector(
    "kid-unknown",
    "A kid that is not in the bundle is unknown.",
    { token: token({}, "petak-deposit", keyNamed("an epoch long gone")) },
    refused("ISSUER_UNKNOWN"),
  ),
  vector("no-keys", "A bundle without keys trusts no issuer.", good, refused("ISSUER_UNKNOWN"), {
    trust_bundle: { ...bundle, issuer_keys: [] },
  }),
  vector("epoch-before-its-end", "A key is relied on up to the last millisecond before its not_after.", previous, opens(), {
    trust_bundle: untilNow(1),
  }),
  vector("epoch-at-its-end", "At its not_after a key is relied on no more: no skew is added.", previous, refused("ISSUER_EXPIRED"), {
    trust_bundle: untilNow(0),
  }),
  vector("epoch-after-its-end", "A retired epoch's key stays retired.", previous, refused("ISSUER_EXPIRED"), {
    trust_bundle: untilNow(-86_400_000),
  }),
  vector("key-in-force-at-its-end", "The key in force has a not_after of its own, and it holds.", good, refused("ISSUER_EXPIRED"), {
    trust_bundle: withKey(currentKey.publicKey, nowMs),
  }),
  vector("bundle-before-its-end", "A bundle is relied on up to the last millisecond before its not_after.", good, opens(), {
    trust_bundle: { ...bundle, not_after_ms: nowMs + 1 },
  }),
  vector("bundle-at-its-end", "At its not_after a bundle is relied on no more: no skew is added.", good, refused("BUNDLE_EXPIRED"), {
    trust_bundle: { ...bundle, not_after_ms: nowMs },
  }),
  vector(
    "bundle-before-kid",
    "An expired bundle takes precedence over an unknown key.",
    { token: token({}, "petak-deposit", keyNamed("an epoch long gone")) },
    refused("BUNDLE_EXPIRED"),
    {
      trust_bundle: { ...bundle, not_after_ms: nowMs - 1000 },
    },
  ),
  vector("key-not-yet-issued", "A bundle that was made later than now is a bundle: clocks differ.", good, opens(), {
    trust_bundle: { ...bundle, issued_at_ms: (nowS + 60) * 1000 },
  }),
  ...lowOrderKeys.map(([id, what, order, hex]) => {
    const publicKey = Buffer.from(hex, "hex");
    const shows = `${what} is refused as a key: libraries accept this token although nobody signed it.`;
    return vector(`low-${id}`, shows, { token: signedByNobody(publicKey, order) }, refused("ISSUER_UNKNOWN"), {
      trust_bundle: withKey(publicKey),
    });
  }),
  vector("short-key", "A key of 31 bytes is refused.", good, refused("ISSUER_UNKNOWN"), {
    trust_bundle: withKey(currentKey.publicKey.subarray(0, 31)),
  }),
  vector("long-key", "A key of 33 bytes is refused.", good, refused("ISSUER_UNKNOWN"), {
    trust_bundle: withKey(Buffer.concat([currentKey.publicKey, Buffer.alloc(1)])),
  }),
  vector("no-point", "Under bytes that are no point of the curve no signature is good.", good, refused("SIGNATURE"), {
    trust_bundle: withKey(createHash("sha256").update("petak test vectors: no point").digest()),
  }),
];
