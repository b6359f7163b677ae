import { type CryptoKey, generateKeyPair, verifyEd25519 } from "@petak/credential";
import { describe, expect, it } from "vitest";
import { createRequestSigner } from "./request-signer.ts";

describe("a request signer", () => {
  it("uses a token for four minutes, and makes a new one after that and when the clock is set back", async () => {
    let nowMs = Date.UTC(2026, 10, 24);
    const { privateJwk } = await generateKeyPair();
    const signer = createRequestSigner({ participantId: "par_a", keyId: "key_live_a", privateJwk, audience: "gateway", now: () => nowMs });
    const first = await signer.authorization();
    nowMs += 239_999;
    expect(await signer.authorization()).toBe(first);
    nowMs += 1;
    const second = await signer.authorization();
    expect(second).not.toBe(first);
    nowMs -= 60_000;
    expect(await signer.authorization()).not.toBe(second);
    expect(signer.mode).toBe("live");
  });

  it("signs once for concurrent calls", async () => {
    const { privateJwk } = await generateKeyPair();
    const signer = createRequestSigner({ participantId: "par_a", keyId: "key_test_a", privateJwk, audience: "gateway" });
    const [first, second] = [signer.authorization(), signer.authorization()];
    expect(first).toBe(second);
    await first;
  });

  it("signs with a WebCrypto key that cannot be exported", async () => {
    const pair = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    const { privateKey, publicKey } = pair as { privateKey: CryptoKey; publicKey: CryptoKey };
    const signer = createRequestSigner({ participantId: "par_a", keyId: "key_test_a", privateKey, audience: "gateway" });
    const raw = new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));
    const [, header, claims, signature = ""] = /^Bearer ([^.]+)\.([^.]+)\.([^.]+)$/.exec(await signer.authorization()) ?? [];
    const bytes = (text: string) => new TextEncoder().encode(text);
    expect(await verifyEd25519(raw, Buffer.from(signature, "base64url"), bytes(`${header}.${claims}`))).toBe(true);
    expect(await verifyEd25519(raw, await signer.sign("statement"), bytes("statement"))).toBe(true);
    const options = { participantId: "par_a", keyId: "key_test_a", audience: "gateway" };
    expect(() => createRequestSigner({ ...options, privateKey: publicKey })).toThrow("not a public key of Ed25519");
  });

  it("refuses an invalid key or key id", async () => {
    const { privateJwk } = await generateKeyPair();
    const options = { participantId: "par_a", keyId: "key_test_a", privateJwk, audience: "gateway" };
    expect(() => createRequestSigner({ ...options, keyId: "a" })).toThrow("'a' is not a key id");
    expect(() => createRequestSigner({ ...options, privateJwk: { ...privateJwk, d: "" } })).toThrow(TypeError);
  });
});
