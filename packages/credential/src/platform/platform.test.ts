import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeBase64url } from "#platform/encode-base64url";
import { sha256 } from "#platform/sha256";
import { signWithJwk } from "#platform/sign-with-jwk";
import { generateKeyPair, verifyEd25519 } from "../keys/ed25519.ts";
import type { Ed25519PrivateJwk } from "../keys/private-jwk.ts";
import * as nodeEncode from "./node/encode-base64url.ts";
import * as nodeHash from "./node/sha256.ts";
import * as nodeSign from "./node/sign-with-jwk.ts";
import * as webEncode from "./web/encode-base64url.ts";
import * as webHash from "./web/sha256.ts";
import * as webSign from "./web/sign-with-jwk.ts";

const messages = fc.uint8Array({ maxLength: 2000 }).map((bytes) => new Uint8Array(bytes));

/** The compiler sees the platform of Node alone; here it sees that the other has the same members of the same types. */
const web: typeof nodeEncode & typeof nodeHash & typeof nodeSign = { ...webEncode, ...webHash, ...webSign };
const node: typeof webEncode & typeof webHash & typeof webSign = { ...nodeEncode, ...nodeHash, ...nodeSign };

describe("Node's own primitives", () => {
  it("are used on Node", () => {
    expect({ encodeBase64url, sha256, signWithJwk }).toEqual(node);
  });

  it("give the same signatures as WebCrypto, which verifies them", async () => {
    const { privateJwk, publicKey } = await generateKeyPair();
    await fc.assert(
      fc.asyncProperty(messages, async (message) => {
        const signature = await node.signWithJwk(privateJwk, message);
        expect(signature).toEqual(await web.signWithJwk(privateJwk, message));
        expect(await verifyEd25519(publicKey, signature, message)).toBe(true);
      }),
    );
  });

  it("give the same hashes as WebCrypto, of bytes and of any text", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(messages, fc.string({ unit: "grapheme" })), async (message) => {
        expect(await node.sha256(message)).toEqual(await web.sha256(message));
      }),
    );
  });

  it("give the same base64url as the portable ones, also of a part of a buffer", () => {
    fc.assert(
      fc.property(messages, fc.nat({ max: 50 }), (message, from) => {
        expect(node.encodeBase64url(message.subarray(from))).toBe(web.encodeBase64url(message.subarray(from)));
      }),
    );
  });

  it("refuse what is not a private key, like WebCrypto", async () => {
    const { privateJwk } = await generateKeyPair();
    const { privateJwk: other } = await generateKeyPair();
    const broken: unknown[] = [
      { ...privateJwk, d: `${privateJwk.d.slice(0, -2)}` },
      { ...privateJwk, x: "" },
      { ...privateJwk, crv: "X25519" },
      { ...privateJwk, kty: "EC" },
    ];
    for (const jwk of broken) {
      for (const sign of [node.signWithJwk, web.signWithJwk]) {
        await expect(sign(jwk as Ed25519PrivateJwk, new Uint8Array(1))).rejects.toThrow(TypeError);
      }
    }
    // Of a pair whose halves are of two keys neither may sign as if they were one.
    const mixed = { ...privateJwk, x: other.x };
    await expect(web.signWithJwk(mixed, new Uint8Array(1))).rejects.toThrow();
    await expect(node.signWithJwk(mixed, new Uint8Array(1))).rejects.toThrow();
  });
});
