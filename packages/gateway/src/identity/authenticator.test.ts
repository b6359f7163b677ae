import { createHmac } from "node:crypto";
import { encodeBase64url, generateKeyPair, type RequestTokenInput, signEd25519, signRequestToken } from "@petak/credential";
import { PetakError, type Reason, Role } from "@petak/protocol";
import fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Authenticator, createAuthenticator } from "./authenticator.ts";
import type { KeyDirectory, KeyRecord, PublishableKeyRecord } from "./key-directory.ts";

const startMs = Date.UTC(2026, 10, 24, 12);
const audience = "https://gateway.example";
const keys = new Map<string, KeyRecord>();
const publishableKeys = new Map<string, PublishableKeyRecord>();
let pair: Awaited<ReturnType<typeof generateKeyPair>>;
let nowMs = startMs;
let lookUps = 0;
let authenticator: Authenticator;

const directory: KeyDirectory = {
  findKey(keyId) {
    lookUps += 1;
    return keys.get(keyId);
  },
  isKnown: (id) => known.has(id),
  findPublishableKey: (key) => Promise.resolve(publishableKeys.get(key)),
};
/** The keys that the directory found before. */
const known = new Set<string>();

beforeAll(async () => {
  pair = await generateKeyPair();
});

beforeEach(() => {
  nowMs = startMs;
  lookUps = 0;
  keys.clear();
  known.clear();
  publishableKeys.clear();
  const key = { keyId: "key_test_a", participantId: "par_a", roles: [Role.COURIER], mode: "test", publicKey: pair.publicKey } as const;
  keys.set("key_test_a", key);
  keys.set("key_test_agent", { ...key, keyId: "key_test_agent", siteId: "site_83652b_k3v9c0x2md000001" });
  const publishable = { participantId: "par_a", requestsPerSecond: 2 } as const;
  for (const record of [
    { ...publishable, publishableKey: "pk_live_a", mode: "live", origins: ["https://shop.example", "https://Shop.example:443"] },
    { ...publishable, publishableKey: "pk_test_a", mode: "test", origins: ["*"] },
    { ...publishable, publishableKey: "pk_test_b", mode: "test", origins: ["http://localhost:5173"] },
  ] as const) {
    publishableKeys.set(record.publishableKey, record);
  }
  authenticator = createAuthenticator({ keys: directory, audience, now: () => nowMs });
});

function sign(changes: Partial<RequestTokenInput> = {}): Promise<string> {
  const input = { participantId: "par_a", keyId: "key_test_a", privateKey: pair.privateJwk, audience, issuedAtMs: startMs };
  return signRequestToken({ ...input, ...changes });
}

async function signParts(header: object, claims: object): Promise<string> {
  const part = (value: object) => encodeBase64url(new TextEncoder().encode(JSON.stringify(value)));
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${encodeBase64url(await signEd25519(pair.privateJwk, new TextEncoder().encode(signed)))}`;
}

/** Authenticates as the identity step does. Expects that `recall` agrees with the complete authentication. */
async function authenticate(token: string | undefined, origin?: string) {
  const authorization = token === undefined ? undefined : `Bearer ${token}`;
  const recalled = authenticator.recall(authorization);
  const [outcome] = await Promise.allSettled([authenticator.authenticate({ authorization, origin, source: "192.0.2.7" })]);
  if (recalled !== undefined) expect(outcome).toEqual({ status: "fulfilled", value: recalled });
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value;
}

async function refusalOf(token: string | undefined, origin?: string): Promise<PetakError> {
  const outcome = await authenticate(token, origin).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(PetakError);
  return outcome as PetakError;
}

async function reasonFor(token: string | undefined, origin?: string): Promise<Reason> {
  return (await refusalOf(token, origin)).reason;
}

const header = { alg: "EdDSA", typ: "petak-request+jwt", kid: "key_test_a" };
const claims = { iss: "par_a", aud: audience, iat: startMs / 1000, exp: startMs / 1000 + 60 };

describe("a request token", () => {
  it("names a participant with its roles, or a site's agent", async () => {
    expect(await authenticate(await sign())).toEqual({
      kind: "participant",
      participantId: "par_a",
      roles: [Role.COURIER],
      mode: "test",
      keyId: "key_test_a",
    });
    expect(await authenticate(await sign({ keyId: "key_test_agent" }))).toEqual({
      kind: "agent",
      participantId: "par_a",
      siteId: "site_83652b_k3v9c0x2md000001",
      mode: "test",
      keyId: "key_test_agent",
    });
  });

  it("may carry more claims and header fields, and one audience as an array", async () => {
    const token = await signParts({ cty: "x", ...header }, { jti: "1", sub: "x", nbf: claims.iat, ...claims, aud: [audience] });
    expect(await authenticate(token)).toMatchObject({ kind: "participant" });
  });

  it("is required: CREDENTIALS_MISSING", async () => {
    expect(await reasonFor(undefined)).toBe("CREDENTIALS_MISSING");
    await expect(authenticator.authenticate({ authorization: "  ", origin: undefined, source: "192.0.2.7" })).rejects.toMatchObject({
      reason: "CREDENTIALS_MISSING",
    });
  });

  it("must be one well-formed bearer token: CREDENTIALS_MALFORMED", async () => {
    const token = await sign();
    for (const authorization of [
      "Basic YTpi",
      "Bearer",
      "Bearer a b",
      `Bearer ${token} x`,
      `Bearer ${"a".repeat(2100)}`,
      "Bearer ÄÖ.ü.ß",
    ]) {
      await expect(
        authenticator.authenticate({ authorization, origin: undefined, source: "192.0.2.7" }),
        authorization,
      ).rejects.toMatchObject({
        reason: "CREDENTIALS_MALFORMED",
      });
    }
    const [first = "", second = "", third = ""] = token.split(".");
    for (const text of [
      "a",
      "a.b.c",
      `${first}.${second}`,
      `${token}.x`,
      `${first}.${second}.${third}=`,
      `${first}.W10.${third}`,
      "pk_other_a",
    ]) {
      expect(await reasonFor(text), text).toBe("CREDENTIALS_MALFORMED");
    }
    expect(await authenticator.authenticate({ authorization: `bearer  ${token} `, origin: undefined, source: "192.0.2.7" })).toMatchObject({
      kind: "participant",
    });
  });

  it("must be signed with Ed25519: TOKEN_ALGORITHM_WRONG", async () => {
    expect(await reasonFor(await signParts({ ...header, alg: "none" }, claims))).toBe("TOKEN_ALGORITHM_WRONG");
    const [header64 = "", payload64 = ""] = (await signParts({ ...header, alg: "HS256" }, claims)).split(".");
    // Algorithm confusion: an HMAC with the public key.
    const hmac = createHmac("sha256", pair.publicKey).update(`${header64}.${payload64}`).digest("base64url");
    expect(await reasonFor(`${header64}.${payload64}.${hmac}`)).toBe("TOKEN_ALGORITHM_WRONG");
  });

  it("must have the type of request tokens: TOKEN_TYPE_WRONG", async () => {
    for (const typ of ["JWT", "petak-deposit", undefined])
      expect(await reasonFor(await signParts({ ...header, typ }, claims))).toBe("TOKEN_TYPE_WRONG");
  });

  it("must be for this gateway: TOKEN_AUDIENCE_WRONG, which names the expected audience", async () => {
    const refusal = await refusalOf(await sign({ audience: "https://other.example" }));
    expect(refusal.reason).toBe("TOKEN_AUDIENCE_WRONG");
    expect(refusal.metadata).toEqual({ expected: audience });
  });

  it("must not have expired, without leeway: TOKEN_EXPIRED", async () => {
    const token = await sign();
    nowMs = startMs + 300_000;
    expect(await reasonFor(token)).toBe("TOKEN_EXPIRED");
    nowMs -= 1;
    expect(await authenticate(token)).toMatchObject({ kind: "participant" });
  });

  it("is refused as TOKEN_REPLAYED_AFTER_EXPIRY if it was used here before it expired", async () => {
    const token = await sign();
    await authenticate(token);
    nowMs = startMs + 300_000;
    expect(await reasonFor(token)).toBe("TOKEN_REPLAYED_AFTER_EXPIRY");
  });

  it("may be used up to 30 s early: TOKEN_NOT_YET_VALID", async () => {
    nowMs = startMs - 30_000;
    expect(await authenticate(await sign())).toMatchObject({ kind: "participant" });
    nowMs -= 1;
    expect(await reasonFor(await sign({ lifetimeMs: 60_000 }))).toBe("TOKEN_NOT_YET_VALID");
    nowMs = startMs;
    expect(await reasonFor(await signParts(header, { ...claims, nbf: claims.iat + 31 }))).toBe("TOKEN_NOT_YET_VALID");
  });

  it("must not be valid for more than 600 s: TOKEN_LIFETIME_TOO_LONG", async () => {
    expect(await authenticate(await sign({ lifetimeMs: 600_000 }))).toMatchObject({ kind: "participant" });
    expect(await reasonFor(await sign({ lifetimeMs: 601_000 }))).toBe("TOKEN_LIFETIME_TOO_LONG");
  });

  it("must be signed by the key it names: TOKEN_SIGNATURE_WRONG", async () => {
    expect(await reasonFor(await sign({ privateKey: (await generateKeyPair()).privateJwk }))).toBe("TOKEN_SIGNATURE_WRONG");
    const [header64 = "", payload64 = ""] = (await sign()).split(".");
    expect(await reasonFor(`${header64}.${payload64}.`)).toBe("TOKEN_SIGNATURE_WRONG");
    // With the neutral point as public key, the neutral point and zero sign every message.
    const neutral = new Uint8Array(32).fill(1, 0, 1);
    keys.set("key_test_a", { ...(keys.get("key_test_a") as KeyRecord), publicKey: neutral });
    const forged = encodeBase64url(Uint8Array.of(...neutral, ...new Uint8Array(32)));
    expect(await reasonFor(`${header64}.${payload64}.${forged}`)).toBe("TOKEN_SIGNATURE_WRONG");
  });

  it("must have every claim and header field with its type: TOKEN_CLAIMS_INVALID, which names it", async () => {
    const wrong: [object, object, string][] = [
      [{ kid: undefined }, {}, "kid"],
      [{ kid: 7 }, {}, "kid"],
      [{ crit: ["exp"] }, {}, "crit"],
      [{}, { iss: undefined }, "iss"],
      [{}, { iss: "" }, "iss"],
      [{}, { aud: [audience, "x"] }, "aud"],
      [{}, { aud: 1 }, "aud"],
      [{}, { iat: "now" }, "iat"],
      [{}, { iat: -1 }, "iat"],
      [{}, { iat: undefined }, "iat"],
      [{}, { exp: undefined }, "exp"],
      [{}, { exp: 1e300 }, "exp"],
      [{}, { exp: claims.iat }, "exp"],
      [{}, { nbf: null }, "nbf"],
    ];
    for (const [headerChange, claimsChange, claim] of wrong) {
      const refusal = await refusalOf(await signParts({ ...header, ...headerChange }, { ...claims, ...claimsChange }));
      expect([refusal.reason, refusal.metadata.claim]).toEqual(["TOKEN_CLAIMS_INVALID", claim]);
    }
  });

  it("must name a registered key: KEY_UNKNOWN", async () => {
    expect(await reasonFor(await sign({ keyId: "key_test_z" }))).toBe("KEY_UNKNOWN");
  });

  it("must name a key that is not revoked: KEY_REVOKED, also if it was valid a moment ago", async () => {
    const token = await sign();
    await authenticate(token);
    keys.set("key_test_a", { ...(keys.get("key_test_a") as KeyRecord), revokedAtMs: startMs + 1 });
    expect(await authenticate(token)).toMatchObject({ kind: "participant" });
    nowMs = startMs + 1;
    expect(await reasonFor(token)).toBe("KEY_REVOKED");
    expect(await reasonFor(await sign({ issuedAtMs: startMs + 1000 }))).toBe("KEY_REVOKED");
  });

  it("must name its key's own participant: KEY_ISSUER_MISMATCH, which does not name it", async () => {
    const refusal = await refusalOf(await sign({ participantId: "par_b" }));
    expect(refusal.reason).toBe("KEY_ISSUER_MISMATCH");
    expect(JSON.stringify([refusal.message, refusal.metadata])).not.toContain("par_a");
  });

  it("is recalled by its header after its verification, until it expires", async () => {
    const token = await sign();
    expect(authenticator.recall(`Bearer ${token}`)).toBeUndefined();
    const caller = await authenticate(token);
    expect(authenticator.recall(`Bearer ${token}`)).toEqual(caller);
    expect(authenticator.recall(`Bearer ${token}x`)).toBeUndefined();
    const key = keys.get("key_test_a") as KeyRecord;
    for (const changed of [
      { ...key, revokedAtMs: startMs },
      { ...key, participantId: "par_b" },
    ]) {
      keys.set("key_test_a", changed);
      expect(authenticator.recall(`Bearer ${token}`)).toBeUndefined();
    }
    keys.set("key_test_a", key);
    nowMs = startMs + 600_000;
    expect(authenticator.recall(`Bearer ${token}`)).toBeUndefined();
  });

  it("gives the participant's current roles", async () => {
    const token = await sign();
    await authenticate(token);
    keys.set("key_test_a", { ...(keys.get("key_test_a") as KeyRecord), roles: [Role.OPERATOR] });
    expect(await authenticate(token)).toMatchObject({ roles: [Role.OPERATOR] });
  });

  it("is verified once for many concurrent first uses", async () => {
    const token = await sign();
    await Promise.all(Array.from({ length: 100 }, () => authenticate(token)));
    // One look-up by the verification, and one by each use.
    expect(lookUps).toBe(101);
  });

  it("is evicted when more tokens are used than the cache holds", async () => {
    authenticator = createAuthenticator({ keys: directory, audience, now: () => nowMs, cacheMax: 2 });
    const tokens = await Promise.all([1, 2, 3].map((second) => sign({ issuedAtMs: startMs + second * 1000 })));
    for (const token of tokens) await authenticate(token);
    nowMs = startMs + 400_000;
    expect(await Promise.all(tokens.map((token) => reasonFor(token)))).toEqual([
      "TOKEN_EXPIRED",
      "TOKEN_REPLAYED_AFTER_EXPIRY",
      "TOKEN_REPLAYED_AFTER_EXPIRY",
    ]);
  });

  it("is refused with STORE_UNAVAILABLE while keys cannot be looked up, and accepted afterwards", async () => {
    const token = await sign();
    let isDown = true;
    const flaky = {
      ...directory,
      findKey: (keyId: string) => (isDown ? Promise.reject(new Error("no connection")) : directory.findKey(keyId)),
    };
    authenticator = createAuthenticator({ keys: flaky, audience, now: () => nowMs });
    const refusal = await refusalOf(token);
    expect([refusal.reason, refusal.retryAfterMs]).toEqual(["STORE_UNAVAILABLE", 1000]);
    expect(refusal.message).not.toContain("no connection");
    isDown = false;
    expect(await authenticate(token)).toMatchObject({ kind: "participant" });
  });
});

describe("a publishable key", () => {
  it("authenticates a page of one of its origins", async () => {
    const page = { kind: "publishable", participantId: "par_a", mode: "live", key: "pk_live_a" };
    expect(await authenticate("pk_live_a", "https://shop.example")).toEqual(page);
    expect(await authenticate("pk_test_a", "https://anywhere.example")).toMatchObject({ mode: "test" });
    expect(await authenticate("pk_test_a", "null")).toMatchObject({ mode: "test" });
    expect(await authenticate("pk_test_b")).toMatchObject({ mode: "test" });
  });

  it("is refused for other origins: ORIGIN_NOT_ALLOWED", async () => {
    for (const origin of ["https://shop.example.evil.example", "http://shop.example", "https://shop.example:444", "null", "", undefined]) {
      expect(await reasonFor("pk_live_a", origin), String(origin)).toBe("ORIGIN_NOT_ALLOWED");
    }
    expect(await reasonFor("pk_test_b", "http://localhost")).toBe("ORIGIN_NOT_ALLOWED");
    publishableKeys.set("pk_live_b", { ...(publishableKeys.get("pk_live_a") as PublishableKeyRecord), origins: ["*"] });
    expect(await reasonFor("pk_live_b", "https://shop.example")).toBe("ORIGIN_NOT_ALLOWED");
  });

  it("matches an origin that was registered with its default port or in capitals", async () => {
    publishableKeys.set("pk_live_a", {
      ...(publishableKeys.get("pk_live_a") as PublishableKeyRecord),
      origins: ["https://Shop.example:443"],
    });
    expect(await authenticate("pk_live_a", "https://shop.example")).toMatchObject({ mode: "live" });
  });

  it("must be registered and not revoked: KEY_UNKNOWN, KEY_REVOKED", async () => {
    expect(await reasonFor("pk_test_z")).toBe("KEY_UNKNOWN");
    publishableKeys.set("pk_test_a", { ...(publishableKeys.get("pk_test_a") as PublishableKeyRecord), revokedAtMs: startMs });
    expect(await reasonFor("pk_test_a")).toBe("KEY_REVOKED");
  });

  it("is limited to its rate: RATE_LIMITED, with a retry delay", async () => {
    await authenticate("pk_test_a");
    await authenticate("pk_test_a");
    const refusal = await refusalOf("pk_test_a");
    expect([refusal.reason, refusal.retryAfterMs]).toEqual(["RATE_LIMITED", 500]);
    expect(await authenticate("pk_test_b")).toMatchObject({ key: "pk_test_b" });
    nowMs += 500;
    await authenticate("pk_test_a");
    expect(await reasonFor("pk_test_a")).toBe("RATE_LIMITED");
  });
});

describe("an address that has sent many invalid credentials", () => {
  const from = (source: string, token: string) =>
    authenticator.authenticate({ authorization: `Bearer ${token}`, origin: undefined, source }).then(
      () => "accepted",
      (error: PetakError) => error.reason,
    );

  /** A token whose signature is wrong. */
  async function forged(changes: Partial<RequestTokenInput> = {}): Promise<string> {
    const [head, claims] = (await sign({ issuedAtMs: startMs + forgeries++, ...changes })).split(".");
    return `${head}.${claims}.${encodeBase64url(new Uint8Array(64))}`;
  }
  let forgeries = 0;

  beforeEach(() => {
    authenticator = createAuthenticator({ keys: directory, audience, now: () => nowMs, failuresMax: 3 });
  });

  it("is refused before a look-up, except with keys that exist and tokens that were verified", async () => {
    const [verified, fresh] = [await sign(), await sign({ issuedAtMs: startMs + 1000 })];
    expect(await from("192.0.2.7", verified)).toBe("accepted");
    known.add("key_test_a");
    for (let count = 0; count < 3; count += 1)
      expect(await from("192.0.2.7", await sign({ keyId: `key_test_${count}` }))).toBe("KEY_UNKNOWN");
    lookUps = 0;
    for (const token of [await sign({ keyId: "key_test_new" }), await forged({ keyId: "key_test_new" }), "pk_test_new"]) {
      expect(await from("192.0.2.7", token)).toBe("RATE_LIMITED");
    }
    expect(lookUps).toBe(0);
    expect([await from("192.0.2.7", verified), await from("192.0.2.7", fresh)]).toEqual(["accepted", "accepted"]);
    expect(await from("192.0.2.8", await sign({ keyId: "key_test_new" }))).toBe("KEY_UNKNOWN");
    nowMs += 1000;
    expect(await from("192.0.2.7", await sign({ keyId: "key_test_new" }))).toBe("KEY_UNKNOWN");
  });

  it("is refused before a signature check with a key that it has misused, there only", async () => {
    const [verified, fresh] = [await sign(), await sign({ issuedAtMs: startMs + 1000 })];
    await from("192.0.2.7", verified);
    for (const key of ["key_test_a", "key_test_agent"]) known.add(key);
    for (let count = 0; count < 3; count += 1) expect(await from("192.0.2.7", await forged())).toBe("TOKEN_SIGNATURE_WRONG");
    // Its signature is good, so it would be accepted if it were looked at.
    expect(await from("192.0.2.7", fresh)).toBe("RATE_LIMITED");
    expect(await from("192.0.2.7", verified)).toBe("accepted");
    expect(await from("192.0.2.7", await sign({ keyId: "key_test_agent" }))).toBe("accepted");
    expect(await from("192.0.2.8", fresh)).toBe("accepted");
  });

  it("is told what to do, and may have a wrong clock", async () => {
    const expired = await sign({ issuedAtMs: startMs - 3_600_000 });
    for (let count = 0; count < 5; count += 1) expect(await from("192.0.2.7", expired)).toBe("TOKEN_EXPIRED");
    for (let count = 0; count < 3; count += 1) expect(await from("192.0.2.7", "nonsense")).toBe("CREDENTIALS_MALFORMED");
    const refusal = await refusalOf(await sign());
    expect(refusal).toMatchObject({ reason: "RATE_LIMITED", retryAfterMs: 1000, metadata: { kind: "credentials", limit: "3" } });
  });
});

describe("malformed input", () => {
  it("is refused with a reason of the catalogue and nothing else", async () => {
    const token = await sign();
    const json = fc.json().map((text) => encodeBase64url(new TextEncoder().encode(text)));
    const segment = fc.oneof(fc.string(), fc.base64String(), json, fc.constantFrom(...token.split(".")));
    const bearer = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(segment, { maxLength: 4 }).map((parts) => `Bearer ${parts.join(".")}`),
      fc.string().map((text) => `Bearer pk_test_z${text}`),
    );
    await fc.assert(
      fc.asyncProperty(bearer, fc.option(fc.webUrl(), { nil: undefined }), async (authorization, origin) => {
        const outcome = await authenticator.authenticate({ authorization, origin, source: "192.0.2.7" }).catch((error: unknown) => error);
        if (authorization !== `Bearer ${token}`) expect(outcome).toBeInstanceOf(PetakError);
      }),
      { numRuns: 1000 },
    );
  });

  it("includes any token with one character changed", async () => {
    const token = await sign();
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(..."ABab01-_."), async (index, character) => {
        fc.pre(token[index] !== character);
        expect(await refusalOf(token.slice(0, index) + character + token.slice(index + 1))).toBeInstanceOf(PetakError);
      }),
      { numRuns: 200 },
    );
  });
});

describe("the caller of a long call", () => {
  it("is checked again: KEY_REVOKED once the key is revoked, STORE_UNAVAILABLE if that cannot be determined", async () => {
    const caller = await authenticate(await sign());
    if (caller.kind !== "participant") throw new Error(caller.kind);
    await authenticator.recheck(caller);
    keys.set("key_test_a", { ...(keys.get("key_test_a") as KeyRecord), revokedAtMs: nowMs });
    await expect(authenticator.recheck(caller)).rejects.toMatchObject({ reason: "KEY_REVOKED" });
    const broken = { ...directory, findKey: () => Promise.reject(new Error("gone")) };
    await expect(createAuthenticator({ keys: broken, audience, now: () => nowMs }).recheck(caller)).rejects.toMatchObject({
      reason: "STORE_UNAVAILABLE",
    });
  });
});
