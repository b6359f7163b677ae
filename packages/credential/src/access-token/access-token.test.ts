import { Act, formatBundleId, formatReservationId, formatSiteId, siteNumberMax, type TrustBundle } from "@petak/protocol";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { decodeBase64url, encodeBase64url } from "../bytes/base64url.ts";
import { signCompact } from "../jws/sign-compact.ts";
import { generateKeyPair, signEd25519 } from "../keys/ed25519.ts";
import { generateIssuerKey, type IssuerKeyPair } from "../keys/issuer-key.ts";
import { createTrustBundle } from "../trust-bundle/trust-bundle.ts";
import { type AccessTokenClaims, accessTokenMaxLength, type ClaimsToWrite } from "./claims.ts";
import { type AccessTokenJudgement, judgeAccessToken, readOwnToken } from "./judge.ts";
import { mintAccessToken } from "./mint.ts";
import { accessTokenRefusals } from "./refusals.ts";
import { siteAudience } from "./site-audience.ts";

const nowMs = Date.UTC(2026, 10, 24, 12);
const skewMs = 300_000;
const hourMs = 3_600_000;
const region = "83652b";
const storeCode = "k3v9c0x2md";
const siteId = formatSiteId(region, storeCode, 1234);
const claims: AccessTokenClaims = {
  act: Act.DEPOSIT,
  siteId,
  reservationId: formatReservationId(region, "8xk2m4p9q7w3t5z1"),
  tokenId: encodeBase64url(new Uint8Array(16).fill(7)),
  notBeforeMs: nowMs - hourMs,
  expiresAtMs: nowMs + hourMs,
  sizeClassIndex: 2,
};
const holderKeyHash = encodeBase64url(new Uint8Array(16).fill(9));
const header = { alg: "EdDSA", typ: "petak-deposit", kid: "" };
const wire = {
  aud: siteAudience(siteId),
  sub: "8xk2m4p9q7w3t5z1",
  jti: claims.tokenId,
  nbf: nowMs / 1000 - 3600,
  exp: nowMs / 1000 + 3600,
  sz: 2,
};

/** The same in the year 1970: with short times there is room for what is too much. */
const roomy = { ...wire, nbf: 1, exp: 200 };

let issuerKey: IssuerKeyPair;
let trustBundle: TrustBundle;

beforeAll(async () => {
  issuerKey = await generateIssuerKey();
  header.kid = issuerKey.keyId;
  trustBundle = createTrustBundle({ version: 1n, keys: [issuerKey], issuedAtMs: nowMs, notAfterMs: nowMs + 30 * 24 * hourMs });
});

function mint(changes: Partial<AccessTokenClaims> = {}): Promise<string> {
  return mintAccessToken({ ...claims, ...changes, issuerKey });
}

function judge(token: string, changes: Partial<Parameters<typeof judgeAccessToken>[0]> = {}): Promise<AccessTokenJudgement> {
  return judgeAccessToken({ token, trustBundle, siteId, nowMs, ...changes });
}

async function refusalOf(token: string, changes: Partial<Parameters<typeof judgeAccessToken>[0]> = {}): Promise<string> {
  const judgement = await judge(token, changes);
  return judgement.ok ? "accepted" : judgement.refusal;
}

describe("an access token", () => {
  it("is valid at its site and has the claims it was minted with", async () => {
    for (const act of [Act.DEPOSIT, Act.COLLECT]) {
      expect(await judge(await mint({ act }))).toEqual({ ok: true, claims: { ...claims, act }, keyId: issuerKey.keyId });
    }
  });

  it("names its holder's key if it is bound to one, and then has an id derived from all claims", async () => {
    const expected = { ...claims, holderKeyHash, tokenId: expect.stringMatching(/^[\w-]{22}$/) };
    const bound: Partial<ClaimsToWrite>[] = [
      ...[Act.DEPOSIT, Act.COLLECT, Act.RECALL].map((act) => ({ act })),
      { act: Act.COLLECT, expiresAtMs: claims.expiresAtMs + 1000 },
      { act: Act.COLLECT, holderKeyHash: encodeBase64url(new Uint8Array(16)) },
    ];
    const tokenIds = new Set<string>();
    for (const changes of bound) {
      const token = await mint({ holderKeyHash, ...changes });
      const judgement = await judge(token);
      expect(judgement).toEqual({ ok: true, claims: { ...expected, ...changes }, keyId: issuerKey.keyId });
      expect(await readOwnToken(token)).toEqual(judgement.claims);
      tokenIds.add(judgement.claims?.tokenId ?? "");
    }
    expect(tokenIds.size).toBe(bound.length);
    const other = await generateIssuerKey();
    const resigned = await mintAccessToken({ ...claims, holderKeyHash, issuerKey: other });
    expect((await readOwnToken(resigned))?.tokenId).toBe((await readOwnToken(await mint({ holderKeyHash })))?.tokenId);
  });

  it("is for the site, or one of its doors, if it is for service", async () => {
    for (const compartmentId of [undefined, "A", "Door_no-07_west1"]) {
      const door = compartmentId === undefined ? {} : { compartmentId };
      const judgement = await judge(await mint({ act: Act.SERVICE, holderKeyHash, ...door }));
      const service = { ...claims, act: Act.SERVICE, holderKeyHash, ...door, reservationId: "", sizeClassIndex: 0 };
      expect(judgement).toMatchObject({ ok: true, claims: { ...service, tokenId: expect.any(String) } });
    }
  });

  it("is the same for the same input", async () => {
    expect(await mint()).toBe(await mint());
  });

  it("has exactly the specified bytes", async () => {
    const [header64 = "", payload64 = ""] = (await mint()).split(".");
    expect(new TextDecoder().decode(decodeBase64url(header64))).toBe(`{"alg":"EdDSA","typ":"petak-deposit","kid":"${issuerKey.keyId}"}`);
    expect(new TextDecoder().decode(decodeBase64url(payload64))).toBe(
      `{"aud":"${siteAudience(siteId)}","sub":"8xk2m4p9q7w3t5z1","jti":"${claims.tokenId}","nbf":${wire.nbf},"exp":${wire.exp},"sz":2}`,
    );
  });

  it("can be a bundle's, a delegate's, or both, for COLLECT only", async () => {
    const bundleId = formatBundleId(region, "5t8yq2m4p9w7z3x1");
    const kinds = [{ isDelegated: true }, { reservationId: "", bundleId, sizeClassIndex: 0 }];
    for (const changes of [...kinds, Object.assign({}, ...kinds)]) {
      const collect = { ...changes, act: Act.COLLECT };
      expect(await judge(await mint(collect))).toEqual({ ok: true, claims: { ...claims, ...collect }, keyId: issuerKey.keyId });
      for (const act of [Act.DEPOSIT, Act.RECALL, Act.SERVICE]) await expect(mint({ ...changes, act })).rejects.toThrow(RangeError);
    }
    const [header64 = "", payload64 = ""] = (await mint({ bundleId, isDelegated: true, act: Act.COLLECT })).split(".");
    expect(new TextDecoder().decode(decodeBase64url(header64))).toBe(`{"alg":"EdDSA","typ":"petak-delegate","kid":"${issuerKey.keyId}"}`);
    expect(new TextDecoder().decode(decodeBase64url(payload64))).toBe(
      `{"aud":"${siteAudience(siteId)}","bdl":"5t8yq2m4p9w7z3x1","jti":"${claims.tokenId}","nbf":${wire.nbf},"exp":${wire.exp}}`,
    );
  });

  it("has at most 320 characters for every valid input", async () => {
    const longest = await mint({
      siteId: formatSiteId(region, "zzzzzzzzzz", siteNumberMax),
      sizeClassIndex: 7,
      act: Act.COLLECT,
      isDelegated: true,
    });
    expect(longest.length).toBe(320);
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          act: fc.constantFrom(Act.DEPOSIT, Act.COLLECT, Act.RECALL, Act.SERVICE),
          siteNumber: fc.integer({ min: 1, max: siteNumberMax }),
          id: fc.uint8Array({ minLength: 16, maxLength: 16 }),
          isBound: fc.boolean(),
          compartmentId: fc.stringMatching(/^[A-Za-z0-9_-]{0,16}$/),
          nbf: fc.integer({ min: 0, max: 9_999_999_998 }),
          lifetime: fc.integer({ min: 1, max: 14 * 86_400 }),
          sizeClassIndex: fc.integer({ min: 0, max: 7 }),
        }),
        async ({ act, siteNumber, id, isBound, compartmentId, nbf, lifetime, sizeClassIndex }) => {
          const mustBeBound = act === Act.RECALL || act === Act.SERVICE;
          const token = await mint({
            act,
            compartmentId,
            sizeClassIndex,
            siteId: formatSiteId(region, storeCode, siteNumber),
            ...(isBound || mustBeBound ? { holderKeyHash: encodeBase64url(id) } : { tokenId: encodeBase64url(id) }),
            notBeforeMs: nbf * 1000,
            expiresAtMs: Math.min(nbf + lifetime, 9_999_999_999) * 1000,
          });
          expect(token.length).toBeLessThanOrEqual(accessTokenMaxLength);
        },
      ),
    );
  });

  it("is not minted if a claim is out of range", async () => {
    const wrong: Partial<AccessTokenClaims>[] = [
      { act: Act.UNSPECIFIED },
      { siteId: `site_${region}_${storeCode}000000` },
      { siteId: formatSiteId("83652c", storeCode, 1) },
      { reservationId: "res_83652b_short" },
      { act: Act.COLLECT, bundleId: "bdl_83652b_short" },
      { act: Act.COLLECT, bundleId: formatBundleId("83652c", "5t8yq2m4p9w7z3x1") },
      { act: Act.COLLECT, bundleId: claims.reservationId },
      { tokenId: "short" },
      { tokenId: encodeBase64url(new Uint8Array(17)) },
      { sizeClassIndex: 8 },
      { sizeClassIndex: -1 },
      { sizeClassIndex: 0.5 },
      { notBeforeMs: claims.expiresAtMs },
      { notBeforeMs: Number.NaN },
      { expiresAtMs: 10_000_000_000_000 },
      { expiresAtMs: claims.notBeforeMs + 14 * 24 * hourMs + 1000 },
      { act: Act.RECALL },
      { act: Act.SERVICE },
      { holderKeyHash: "short" },
      { act: Act.SERVICE, holderKeyHash, compartmentId: "A 7" },
      { act: Act.SERVICE, holderKeyHash, compartmentId: "A".repeat(17) },
    ];
    for (const changes of wrong) await expect(mint(changes), JSON.stringify(changes)).rejects.toThrow(RangeError);
  });
});

describe("judging", () => {
  it("refuses a token whose header is not exactly as specified", async () => {
    const sign = (changed: object) => signCompact(issuerKey.privateJwk, changed, roomy);
    expect(await refusalOf(await sign({ ...header, alg: "none" }))).toBe("ALGORITHM");
    expect(await refusalOf(await sign({ ...header, alg: "HS256" }))).toBe("ALGORITHM");
    expect(await refusalOf(await sign({ ...header, typ: "petak-open" }))).toBe("TYPE");
    expect(await refusalOf(await sign({ ...header, typ: "petak-request+jwt" }))).toBe("TYPE");
    expect(await refusalOf(await sign({ alg: "EdDSA", kid: header.kid }))).toBe("TYPE");
    expect(await refusalOf(await sign({ ...header, crit: ["exp"] }))).toBe("MALFORMED");
    expect(await refusalOf(await sign({ ...header, jwk: {} }))).toBe("MALFORMED");
    expect(await refusalOf(await sign({ typ: header.typ, alg: header.alg, kid: header.kid }))).toBe("MALFORMED");
    expect(await refusalOf(await sign({ ...header, kid: 1 }))).toBe("MALFORMED");
    expect(await refusalOf(await sign({ ...header, kid: "abcde" }))).toBe("MALFORMED");
    expect(await refusalOf(await sign({ ...header, kid: header.kid === "AAAA" ? "BBBB" : "AAAA" }))).toBe("ISSUER_UNKNOWN");
  });

  it("refuses claims that are missing, unknown, out of order, out of range or not canonical", async () => {
    const sign = (changed: object) => signCompact(issuerKey.privateJwk, header, changed);
    const { sz, ...withoutSizeClass } = roomy;
    const wrong: object[] = [
      withoutSizeClass,
      { sz, ...withoutSizeClass },
      { ...roomy, a: 1 },
      { ...roomy, nbf: String(roomy.nbf) },
      { ...roomy, exp: roomy.nbf },
      { ...roomy, exp: roomy.exp + 0.5 },
      { ...roomy, sz: 8 },
      { ...roomy, sz: null },
      { ...roomy, sub: "short" },
      { ...roomy, aud: siteId },
      { ...roomy, aud: [roomy.aud] },
      { ...roomy, aud: siteId.slice("site_".length) },
      { ...roomy, aud: roomy.aud.slice(1) },
      { ...roomy, aud: siteAudience(siteId).replace(/.$/, "+") },
      { ...roomy, jti: "a" },
      [],
    ];
    for (const changed of wrong) expect(await refusalOf(await sign(changed)), JSON.stringify(changed)).toBe("CLAIMS");
    const spaced = await signText(JSON.stringify(header), JSON.stringify(roomy).replace(",", ", "));
    expect(await refusalOf(spaced)).toBe("CLAIMS");
    const twice = await signText(
      JSON.stringify(header),
      JSON.stringify({ ...roomy, aud: siteAudience(formatSiteId(region, storeCode, 1)) }).replace('"sz":2', '"sz":1,"sz":2'),
    );
    expect(await refusalOf(twice)).toBe("CLAIMS");
    const twiceInHeader = await signText(JSON.stringify(header).replace('"alg"', '"alg":"none","alg"'), JSON.stringify(roomy));
    expect(await refusalOf(twiceInHeader)).toBe("MALFORMED");
  });

  it("refuses another site's token, and returns its reservation for the report", async () => {
    const judgement = await judge(await mint({ siteId: formatSiteId(region, storeCode, 1235) }));
    expect(judgement).toMatchObject({ ok: false, refusal: "SITE", claims: { reservationId: claims.reservationId } });
  });

  it("tolerates the skew and not a second more", async () => {
    const token = await mint();
    expect(await refusalOf(token, { nowMs: claims.notBeforeMs - skewMs })).toBe("accepted");
    expect(await refusalOf(token, { nowMs: claims.notBeforeMs - skewMs - 1 })).toBe("NOT_YET_VALID");
    expect(await refusalOf(token, { nowMs: claims.expiresAtMs + skewMs - 1 })).toBe("accepted");
    expect(await refusalOf(token, { nowMs: claims.expiresAtMs + skewMs })).toBe("EXPIRED");
    expect(await refusalOf(token, { nowMs: claims.expiresAtMs, maxSkewMs: 0 })).toBe("EXPIRED");
  });

  it("errs on the safe side while the clock cannot be trusted", async () => {
    const fresh = await mint({ notBeforeMs: nowMs - 60_000 });
    expect(await refusalOf(fresh, { clockTrusted: false })).toBe("accepted");
    expect(await refusalOf(fresh, { clockTrusted: false, nowMs: claims.expiresAtMs })).toBe("EXPIRED");
    expect(await refusalOf(await mint(), { clockTrusted: false })).toBe("CLOCK_UNTRUSTED");
  });

  it("refuses a token with a validity of more than 14 days, whoever signed it", async () => {
    const token = await signCompact(issuerKey.privateJwk, header, { ...wire, exp: wire.nbf + 14 * 86_400 + 1 });
    expect(await refusalOf(token)).toBe("TOO_LONG_LIVED");
  });

  it("trusts no key after it or the bundle has expired", async () => {
    const token = await mint();
    const old = await generateIssuerKey({ takenKeyIds: new Set([issuerKey.keyId]) });
    const build = (notAfterMs: number, previousUntilMs: number) =>
      createTrustBundle({
        version: 2n,
        keys: [old, { ...issuerKey, notAfterMs: previousUntilMs }],
        issuedAtMs: nowMs,
        notAfterMs,
      });
    expect(await refusalOf(token, { trustBundle: build(nowMs + hourMs, nowMs + 1) })).toBe("accepted");
    expect(await refusalOf(token, { trustBundle: build(nowMs + hourMs, nowMs) })).toBe("ISSUER_EXPIRED");
    expect(await refusalOf(token, { trustBundle: build(nowMs, nowMs + hourMs) })).toBe("BUNDLE_EXPIRED");
  });

  it("refuses a signature by another key, and any signature under a key of low order", async () => {
    const other = await generateKeyPair();
    expect(await refusalOf(await signCompact(other.privateJwk, header, wire))).toBe("SIGNATURE");
    const weak = createTrustBundle({
      version: 1n,
      keys: [{ keyId: issuerKey.keyId, publicKey: new Uint8Array(32).fill(1, 0, 1) }],
      issuedAtMs: nowMs,
      notAfterMs: nowMs + hourMs,
    });
    expect(await refusalOf(await mint(), { trustBundle: weak })).toBe("ISSUER_UNKNOWN");
  });

  it("refuses a token after a change of any character or a truncation", async () => {
    const token = await mint();
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(..."ABab01-_.=+ "), async (index, character) => {
        fc.pre(token[index] !== character);
        const changed = token.slice(0, index) + character + token.slice(index + 1);
        expect(await refusalOf(changed)).not.toBe("accepted");
        expect(await refusalOf(token.slice(0, index))).not.toBe("accepted");
      }),
      { numRuns: 300 },
    );
  });

  it("never throws and never accepts arbitrary input", async () => {
    const segment = fc.oneof(
      fc.base64String(),
      fc.string(),
      fc.json().map((text) => encodeBase64url(new TextEncoder().encode(text))),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.array(segment, { maxLength: 5 }).map((parts) => parts.join(".")),
        ),
        async (token) => {
          const judgement = await judge(token);
          expect(judgement.ok).toBe(false);
          if (!judgement.ok) expect(accessTokenRefusals).toHaveProperty(judgement.refusal);
        },
      ),
      { numRuns: 500 },
    );
  });
});

async function signText(headerText: string, payloadText: string): Promise<string> {
  const encode = (text: string) => encodeBase64url(new TextEncoder().encode(text));
  const signed = `${encode(headerText)}.${encode(payloadText)}`;
  return `${signed}.${encodeBase64url(await signEd25519(issuerKey.privateJwk, new TextEncoder().encode(signed)))}`;
}
