import { createLocalJWKSet, jwtVerify } from "jose";
import { expect, it } from "vitest";
import { encodeBase64url } from "../bytes/base64url.ts";
import { generateKeyPair } from "../keys/ed25519.ts";
import { requestTokenType, signRequestToken } from "./request-token.ts";

it("is a JWT that a JOSE library verifies, good for five minutes", async () => {
  const { privateJwk, publicKey } = await generateKeyPair();
  const issuedAtMs = Date.UTC(2026, 10, 24) + 999;
  const token = await signRequestToken({
    participantId: "par_a",
    keyId: "key_test_a",
    privateKey: privateJwk,
    audience: "gateway",
    issuedAtMs,
  });
  const keys = createLocalJWKSet({ keys: [{ kty: "OKP", crv: "Ed25519", x: encodeBase64url(publicKey), kid: "key_test_a" }] });
  const verified = await jwtVerify(token, keys, {
    algorithms: ["EdDSA"],
    typ: requestTokenType,
    issuer: "par_a",
    audience: "gateway",
    currentDate: new Date(issuedAtMs),
  });
  const issuedAt = Math.floor(issuedAtMs / 1000);
  expect(verified.payload).toEqual({ iss: "par_a", aud: "gateway", iat: issuedAt, exp: issuedAt + 300 });
  expect(verified.protectedHeader).toEqual({ alg: "EdDSA", typ: "petak-request+jwt", kid: "key_test_a" });
});
