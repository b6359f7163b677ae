import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deriveTokenId, newTokenId } from "../access-token/token-id.ts";
import { decodeBase64url, encodeBase64url } from "../bytes/base64url.ts";
import { equalInConstantTime } from "../bytes/constant-time.ts";
import { generatePin, hashPin, isPin, newPinKey } from "./pin.ts";

const secret = new Uint8Array(32).fill(3);
const context = { reservationId: "res_83652b_8xk2m4p9q7w3t5z1", requestId: "0d9b7a52-6c0e-4a39-8a33-1b3f6f6f1c11" };

describe("a PIN", () => {
  it("has eight digits and follows from the request", async () => {
    const pin = await generatePin(secret, context);
    expect(isPin(pin)).toBe(true);
    expect(await generatePin(secret, context)).toBe(pin);
    expect(await generatePin(secret, { ...context, requestId: "another" })).not.toBe(pin);
    expect(await generatePin(secret, { ...context, reservationId: "another" })).not.toBe(pin);
    expect(await generatePin(new Uint8Array(32).fill(4), context)).not.toBe(pin);
  });

  it("differs if the same characters are split differently between the inputs", async () => {
    const one = await generatePin(secret, { reservationId: "ab", requestId: "c" });
    expect(await generatePin(secret, { reservationId: "a", requestId: "bc" })).not.toBe(one);
  });

  it("has every digit about equally often at every position", async () => {
    const counts = Array.from({ length: 8 }, () => new Array<number>(10).fill(0));
    const rounds = 4000;
    for (let round = 0; round < rounds; round += 1) {
      const pin = await generatePin(secret, { ...context, requestId: String(round) });
      for (const [place, digit] of [...pin].entries()) {
        const row = counts[place] ?? [];
        row[Number(digit)] = (row[Number(digit)] ?? 0) + 1;
      }
    }
    // The secret is fixed, so this holds always or never: 400 expected, 6 standard deviations are 114.
    for (const count of counts.flat()) expect(Math.abs(count - rounds / 10)).toBeLessThan(114);
  });

  it("skips numbers that would make low PINs more likely", async () => {
    const framed = (...texts: string[]) =>
      Buffer.concat(texts.flatMap((text) => [Buffer.from(Uint32Array.of(text.length).buffer).swap32(), Buffer.from(text)]));
    const wordsOf = (requestId: string) => {
      const digest = createHmac("sha256", secret)
        .update(framed("petak-pin", context.reservationId, requestId, "0"))
        .digest();
      return [digest.readUInt32BE(0), digest.readUInt32BE(4)] as const;
    };
    // One word in 45 is passed over; this is the first request whose first word is.
    let request = 0;
    while (wordsOf(String(request))[0] < 4_200_000_000) request += 1;
    const [, second] = wordsOf(String(request));
    expect(await generatePin(secret, { ...context, requestId: String(request) })).toBe(String(second % 100_000_000).padStart(8, "0"));
  });

  it("is not derived from a short secret", async () => {
    await expect(generatePin(new Uint8Array(31), context)).rejects.toThrow(RangeError);
  });

  it("is stored as its HMAC-SHA-256 under the site's key", async () => {
    const pinKey = newPinKey();
    expect(pinKey).toHaveLength(32);
    const expected = createHmac("sha256", pinKey).update("01234567").digest();
    expect(Buffer.from(await hashPin(pinKey, "01234567"))).toEqual(expected);
  });

  it("is eight ASCII digits and nothing else", () => {
    for (const text of ["", "1234567", "123456789", "1234567a", " 1234567", "12345678\n", "١٢٣٤٥٦٧٨"]) expect(isPin(text)).toBe(false);
  });
});

describe("token ids", () => {
  it("have 128 bits, fresh or derived from the request", async () => {
    expect(decodeBase64url(newTokenId())).toHaveLength(16);
    expect(newTokenId()).not.toBe(newTokenId());
    const derived = await deriveTokenId(secret, context);
    expect(decodeBase64url(derived)).toHaveLength(16);
    expect(await deriveTokenId(secret, context)).toBe(derived);
    expect(await deriveTokenId(secret, { ...context, requestId: "another" })).not.toBe(derived);
  });
});

describe("bytes", () => {
  it("survive base64url, and have one canonical encoding", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        expect(decodeBase64url(encodeBase64url(bytes))).toEqual(bytes);
      }),
    );
    for (const text of ["A", "AB", "AA=", "AA==", "+/+/", "A A", "AAAAA", "ÄÄ"]) expect(decodeBase64url(text)).toBeUndefined();
  });

  it("are compared in full", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), fc.uint8Array({ maxLength: 8 }), (left, right) => {
        expect(equalInConstantTime(left, right)).toBe(Buffer.compare(left, right) === 0);
        expect(equalInConstantTime(left, left.slice())).toBe(true);
      }),
    );
  });
});
