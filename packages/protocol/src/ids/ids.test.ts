import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packBase32, randomBase32, unpackBase32 } from "./base32.ts";
import { formatSiteId, isStoreCode, newStoreCode, parseSiteId, siteNumberMax, storeCodeLength } from "./ids.ts";

const region = fc.integer({ min: 0, max: 0xffff }).map((rest) => `83${rest.toString(16).padStart(4, "0")}`);
const storeCode = fc.stringMatching(/^[0-9a-hjkmnp-tv-z]{10}$/);
const siteNumber = fc.integer({ min: 1, max: siteNumberMax });

describe("a site's id", () => {
  it("round-trips region, store code and number, and has the same length for every number", () => {
    fc.assert(
      fc.property(region, storeCode, siteNumber, (ofRegion, code, number) => {
        const siteId = formatSiteId(ofRegion, code, number);
        expect(siteId).toHaveLength("site_836520_k3v9c0x2md000008".length);
        expect(parseSiteId(siteId)).toEqual({ region: ofRegion, storeCode: code, siteNumber: number });
      }),
    );
  });

  it("differs if and only if region, store code or number differ", () => {
    fc.assert(
      fc.property(fc.tuple(region, storeCode, siteNumber), fc.tuple(region, storeCode, siteNumber), (one, other) => {
        expect(formatSiteId(...one) === formatSiteId(...other)).toBe(one.join() === other.join());
      }),
    );
  });

  it("is not parsed from similar texts", () => {
    const wrong = [
      "site_836520_k3v9c0x2md000000",
      "site_836520_k3v9c0x2md00008",
      "site_836520_k3v9c0x2md0000008",
      "site_836520_k3v9c0x2md00000u",
      "site_836520_K3V9C0X2MD000008",
      "site_836520_8",
      "site_886520_k3v9c0x2md000008",
      "site_836520-k3v9c0x2md000008",
      "res_836520_k3v9c0x2md000008",
      " site_836520_k3v9c0x2md000008",
      "site_836520_k3v9c0x2md000008\n",
    ];
    expect(wrong.map(parseSiteId)).toEqual(wrong.map(() => undefined));
  });

  it("is not formatted for a number out of range", () => {
    for (const number of [0, -1, siteNumberMax + 1, Number.NaN])
      expect(() => formatSiteId("836520", "k3v9c0x2md", number)).toThrow(RangeError);
  });
});

describe("a store code", () => {
  it("differs for each store", () => {
    const codes = Array.from({ length: 1000 }, newStoreCode);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.every((code) => isStoreCode(code) && code.length === storeCodeLength)).toBe(true);
    expect(["", "k3v9c0x2m", "k3v9c0x2mdd", "k3v9c0x2mu", "K3V9C0X2MD"].some(isStoreCode)).toBe(false);
  });
});

describe("a text in base 32", () => {
  it("is packed into its bits and unpacked again", () => {
    expect(Buffer.from(packBase32("zzzzzzzz")).toString("hex")).toBe("ffffffffff");
    expect(Buffer.from(packBase32("00000001")).toString("hex")).toBe("0000000001");
    for (let count = 0; count < 100; count++) {
      const text = randomBase32(16);
      expect(packBase32(text)).toHaveLength(10);
      expect(unpackBase32(packBase32(text))).toBe(text);
    }
  });
});
