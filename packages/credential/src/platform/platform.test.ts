import fc from "fast-check";
import { base64url } from "jose";
import { describe, expect, it } from "vitest";
import { encodeBase64url } from "../bytes/base64url.ts";
import { sha256ByNode, sha256ByWebCrypto } from "../bytes/sha256.ts";
import { type Ed25519PrivateJwk, generateKeyPair, signByNode, signByWebCrypto, signEd25519, verifyEd25519 } from "../keys/ed25519.ts";
import { nodeCrypto } from "./node-crypto.ts";

const messages = fc.uint8Array({ maxLength: 2000 }).map((bytes) => new Uint8Array(bytes));

describe("Node's own primitives", () => {
  it("are there on Node", () => {
    expect(nodeCrypto?.hash).toBeTypeOf("function");
    expect(signEd25519).toBe(signByNode);
  });

  it("sign as those of every runtime do, and are verified by them", async () => {
    const { privateJwk, publicKey } = await generateKeyPair();
    await fc.assert(
      fc.asyncProperty(messages, async (message) => {
        const signature = await signByNode(privateJwk, message);
        expect(signature).toEqual(await signByWebCrypto(privateJwk, message));
        expect(await verifyEd25519(publicKey, signature, message)).toBe(true);
      }),
    );
  });

  it("hash as those of every runtime do, bytes and texts of any characters", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(messages, fc.string({ unit: "grapheme" })), async (message) => {
        expect(await sha256ByNode(message)).toEqual(await sha256ByWebCrypto(message));
      }),
    );
  });

  it("write base64url as those of every runtime do, also of a part of something longer", () => {
    fc.assert(
      fc.property(messages, fc.nat({ max: 50 }), (message, from) => {
        expect(encodeBase64url(message.subarray(from))).toBe(base64url.encode(message.subarray(from)));
      }),
    );
  });

  it("refuse as those of every runtime do what is no private key", async () => {
    const { privateJwk } = await generateKeyPair();
    const { privateJwk: other } = await generateKeyPair();
    const broken: unknown[] = [
      { ...privateJwk, d: `${privateJwk.d.slice(0, -2)}` },
      { ...privateJwk, x: "" },
      { ...privateJwk, crv: "X25519" },
      { ...privateJwk, kty: "EC" },
    ];
    for (const jwk of broken) {
      for (const sign of [signByNode, signByWebCrypto]) {
        await expect(sign(jwk as Ed25519PrivateJwk, new Uint8Array(1))).rejects.toThrow(TypeError);
      }
    }
    // Of a pair whose halves are of two keys neither may sign as if they were one.
    const mixed = { ...privateJwk, x: other.x };
    await expect(signByWebCrypto(mixed, new Uint8Array(1))).rejects.toThrow();
    await expect(signByNode(mixed, new Uint8Array(1))).rejects.toThrow();
  });
});
