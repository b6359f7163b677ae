import { Act, formatReservationId, formatSiteId } from "@petak/protocol";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { readOwnToken } from "../access-token/judge.ts";
import { mintAccessToken } from "../access-token/mint.ts";
import { newTokenId } from "../access-token/token-id.ts";
import { encodeBase64url } from "../bytes/base64url.ts";
import { type Ed25519KeyPair, generateKeyPair } from "../keys/ed25519.ts";
import { generateIssuerKey, type IssuerKeyPair } from "../keys/issuer-key.ts";
import { newChallenge } from "./challenge.ts";
import { holderKeyHash } from "./holder-key.ts";
import { judgePresence, presenceLength, provePresence, readPresence } from "./presence.ts";

const siteId = formatSiteId("83652b", "testst0re0", 7);
const reservationId = formatReservationId("83652b", "8xk2m4p9q7w3t5z1");
const times = { notBeforeMs: 0, expiresAtMs: 3_600_000 };
const challenge = newChallenge();
let issuerKey: IssuerKeyPair;
let holder: Ed25519KeyPair;
let token: string;
let tokenId: string;
let keyHash: string;

beforeAll(async () => {
  [issuerKey, holder] = await Promise.all([generateIssuerKey(), generateKeyPair()]);
  keyHash = await holderKeyHash(holder.publicKey);
  token = await mintAccessToken({ issuerKey, act: Act.RECALL, siteId, reservationId, holderKeyHash: keyHash, ...times });
  tokenId = (await readOwnToken(token))?.tokenId ?? "";
});

async function judge(proof: string, changes: Partial<Parameters<typeof judgePresence>[1]> = {}): Promise<string> {
  const presence = readPresence(proof);
  if (presence === undefined) return "malformed";
  const refusal = await judgePresence(presence, { holderKeyHash: keyHash, siteId, tokenId, compartmentId: "", ...changes });
  return refusal ?? "present";
}

describe("a proof of presence", () => {
  it("is valid for the holder of the token's key, and deterministic", async () => {
    const proof = await provePresence({ token, challenge, privateJwk: holder.privateJwk });
    expect(proof).toHaveLength(presenceLength);
    expect(proof.startsWith(`${challenge}.${encodeBase64url(holder.publicKey)}.`)).toBe(true);
    expect(await judge(proof)).toBe("present");
    expect(await provePresence({ token, challenge, privateJwk: holder.privateJwk })).toBe(proof);
  });

  it("is invalid for another site, token, door, challenge or key", async () => {
    const proof = await provePresence({ token, challenge, privateJwk: holder.privateJwk });
    expect(await judge(proof, { siteId: formatSiteId("83652b", "testst0re0", 8) })).toBe("PRESENCE_SIGNATURE");
    expect(await judge(proof, { tokenId: newTokenId() })).toBe("PRESENCE_SIGNATURE");
    expect(await judge(proof, { compartmentId: "A1" })).toBe("PRESENCE_SIGNATURE");
    expect(await judge([newChallenge(), ...proof.split(".").slice(1)].join("."))).toBe("PRESENCE_SIGNATURE");
    const stranger = await generateKeyPair();
    expect(await judge(proof, { holderKeyHash: await holderKeyHash(stranger.publicKey) })).toBe("HOLDER_KEY");
    const forged = [challenge, encodeBase64url(stranger.publicKey), proof.split(".")[2]].join(".");
    expect(await judge(forged)).toBe("HOLDER_KEY");
  });

  it("is refused under a point of low order, even if the token is bound to it", async () => {
    const lowOrder = new Uint8Array(32);
    const signature = new Uint8Array(64);
    const proof = [challenge, encodeBase64url(lowOrder), encodeBase64url(signature)].join(".");
    expect(await judge(proof, { holderKeyHash: await holderKeyHash(lowOrder) })).toBe("HOLDER_KEY");
  });

  it("is made only with the key that the token is bound to, and only for a token", async () => {
    const { privateJwk } = await generateKeyPair();
    await expect(provePresence({ token, challenge, privateJwk })).rejects.toThrow("not bound to this key");
    await expect(provePresence({ token: "x", challenge, privateJwk: holder.privateJwk })).rejects.toThrow(TypeError);
    const unbound = await mintAccessToken({ issuerKey, act: Act.COLLECT, siteId, reservationId, tokenId: newTokenId(), ...times });
    await expect(provePresence({ token: unbound, challenge, privateJwk: holder.privateJwk })).rejects.toThrow(TypeError);
  });

  it("names the door of a service token, or the one that the holder asks for", async () => {
    const service = { issuerKey, act: Act.SERVICE, siteId, holderKeyHash: keyHash, ...times };
    const ofDoor = await mintAccessToken({ ...service, compartmentId: "A1" });
    const ofSite = await mintAccessToken(service);
    const { privateJwk } = holder;
    const proofs = [
      [ofDoor, await provePresence({ token: ofDoor, challenge, privateJwk }), "A1"],
      [ofSite, await provePresence({ token: ofSite, challenge, privateJwk, compartmentId: "B2" }), "B2"],
      [ofSite, await provePresence({ token: ofSite, challenge, privateJwk }), ""],
    ] as const;
    for (const [shown, proof, compartmentId] of proofs) {
      const id = (await readOwnToken(shown))?.tokenId ?? "";
      expect(await judge(proof, { tokenId: id, compartmentId })).toBe("present");
    }
  });

  it("is invalid after a change of any character", async () => {
    const proof = await provePresence({ token, challenge, privateJwk: holder.privateJwk });
    await fc.assert(
      fc.asyncProperty(fc.nat(proof.length - 1), fc.constantFrom(..."ABab01-_.=+ "), async (index, letter) => {
        const changed = proof.slice(0, index) + letter + proof.slice(index + 1);
        fc.pre(changed !== proof);
        expect(await judge(changed)).not.toBe("present");
      }),
    );
    for (const text of ["", proof.slice(1), `${proof}A`, proof.replaceAll(".", "-"), ".".repeat(presenceLength)]) {
      expect(readPresence(text)).toBeUndefined();
    }
  });
});
