import { generateKeyPair } from "@petak/credential";
import { describe, expect, it } from "vitest";
import { createRequestSigner } from "./request-signer.ts";

describe("a request signer", () => {
  it("signs one token for four minutes, then another, and another when the clock is set back", async () => {
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

  it("signs once for calls at the same time", async () => {
    const { privateJwk } = await generateKeyPair();
    const signer = createRequestSigner({ participantId: "par_a", keyId: "key_test_a", privateJwk, audience: "gateway" });
    const [first, second] = [signer.authorization(), signer.authorization()];
    expect(first).toBe(second);
    await first;
  });

  it("refuses what is no key or key id", async () => {
    const { privateJwk } = await generateKeyPair();
    const options = { participantId: "par_a", keyId: "key_test_a", privateJwk, audience: "gateway" };
    expect(() => createRequestSigner({ ...options, keyId: "a" })).toThrow("'a' is no key id");
    expect(() => createRequestSigner({ ...options, privateJwk: { ...privateJwk, d: "" } })).toThrow(TypeError);
  });
});
