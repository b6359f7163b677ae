import { importJWK, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import { encodeBase64url } from "../bytes/base64url.ts";
import { signCompact } from "../jws/sign-compact.ts";
import { generateKeyPair, signEd25519, verifyEd25519 } from "./ed25519.ts";
import { generateIssuerKey, issuerKeyFrom, toJwks } from "./issuer-key.ts";
import { isLowOrderPoint } from "./low-order.ts";
import { publicKeyOf } from "./private-jwk.ts";

const p = 2n ** 255n - 19n;
const d = mod(-121_665n * power(121_666n, p - 2n));
const rootOfMinusOne = power(2n, (p - 1n) / 4n);

function mod(value: bigint): bigint {
  return ((value % p) + p) % p;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = mod(base);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

/** Both x of a y on the curve -x² + y² = 1 + d x² y², or none. */
function xOf(y: bigint): bigint | undefined {
  const square = mod((y * y - 1n) * power(d * y * y + 1n, p - 2n));
  const candidate = power(square, (p + 3n) / 8n);
  for (const x of [candidate, mod(candidate * rootOfMinusOne)]) if (mod(x * x) === square) return x;
  return undefined;
}

function double([x, y]: readonly [bigint, bigint]): [bigint, bigint] {
  const product = mod(d * x * x * y * y);
  return [mod(2n * x * y * power(1n + product, p - 2n)), mod((y * y + x * x) * power(1n - product, p - 2n))];
}

function hasLowOrder(y: bigint): boolean {
  const x = xOf(mod(y));
  if (x === undefined) return false;
  const [eightX, eightY] = double(double(double([x, mod(y)])));
  return eightX === 0n && eightY === 1n;
}

function encode(y: bigint, sign: boolean): Uint8Array {
  const bytes = new Uint8Array(32);
  for (let index = 0; index < 32; index += 1) bytes[index] = Number((y >> BigInt(8 * index)) & 255n);
  if (sign) bytes[31] = (bytes[31] ?? 0) | 0x80;
  return bytes;
}

/** The y of a point of order 8: its double has y = 0, so 2 y² + x²·0 … solved by trying the roots of y⁴ over the curve. */
function orderEightY(): bigint[] {
  // A point (x, y) doubles to y = 0 exactly where y² = -x². With the curve: -x² + y² = 1 + d x² y² gives 2 y² = 1 - d y⁴.
  const discriminant = power(1n + d, (p + 3n) / 8n);
  const root = [discriminant, mod(discriminant * rootOfMinusOne)].find((value) => mod(value * value) === mod(1n + d)) ?? 0n;
  const found: bigint[] = [];
  for (const sign of [1n, -1n]) {
    const square = mod((-1n + sign * root) * power(d, p - 2n));
    const candidate = power(square, (p + 3n) / 8n);
    for (const y of [candidate, mod(candidate * rootOfMinusOne)]) if (mod(y * y) === square) found.push(y, mod(-y));
  }
  return [...new Set(found)];
}

describe("isLowOrderPoint", () => {
  it("knows every encoding of every point whose order divides 8, by calculation", () => {
    const spellings = [0n, 1n, p - 1n, ...orderEightY()].flatMap((y) => (y + p < 2n ** 255n ? [y, y + p] : [y]));
    expect(spellings.filter(hasLowOrder)).toHaveLength(7);
    for (const y of spellings) {
      expect(isLowOrderPoint(encode(y, false))).toBe(true);
      expect(isLowOrderPoint(encode(y, true))).toBe(true);
    }
  });

  it("agrees with the calculation on the first and last numbers", () => {
    for (let step = 0n; step < 200n; step += 1n) {
      for (const y of [step, 2n ** 255n - 1n - step]) expect(isLowOrderPoint(encode(y, false)), String(y)).toBe(hasLowOrder(y));
    }
  });

  it("is true without 32 bytes, and false for generated keys", async () => {
    expect(isLowOrderPoint(new Uint8Array(31).fill(9))).toBe(true);
    expect(isLowOrderPoint(new Uint8Array(33).fill(9))).toBe(true);
    for (let round = 0; round < 20; round += 1) expect(isLowOrderPoint((await generateKeyPair()).publicKey)).toBe(false);
  });
});

describe("Ed25519", () => {
  it("signs as specified in RFC 8032", async () => {
    // The first test vector of RFC 8032 §7.1.
    const hex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
    const publicKey = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    const privateJwk = {
      kty: "OKP",
      crv: "Ed25519",
      x: encodeBase64url(publicKey),
      d: encodeBase64url(hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")),
    } as const;
    const signature = await signEd25519(privateJwk, new Uint8Array());
    expect(signature).toEqual(
      hex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
      ),
    );
    expect(await verifyEd25519(publicKey, signature, new Uint8Array())).toBe(true);
    expect(await verifyEd25519(publicKey, signature, new Uint8Array(1))).toBe(false);
  });

  it("returns false for malformed keys and signatures, and never throws", async () => {
    const { publicKey, privateJwk } = await generateKeyPair();
    const signature = await signEd25519(privateJwk, new Uint8Array(3));
    expect(await verifyEd25519(publicKey.subarray(1), signature, new Uint8Array(3))).toBe(false);
    expect(await verifyEd25519(publicKey, signature.subarray(1), new Uint8Array(3))).toBe(false);
    expect(await verifyEd25519(new Uint8Array(32).fill(255), signature, new Uint8Array(3))).toBe(false);
  });

  it("refuses a JWK that is not a private Ed25519 key", async () => {
    const { privateJwk } = await generateKeyPair();
    for (const change of [{ kty: "EC" }, { crv: "X25519" }, { x: "AA" }, { d: "AA" }, { d: `${privateJwk.d}=` }]) {
      expect(() => publicKeyOf({ ...privateJwk, ...change } as typeof privateJwk)).toThrow(TypeError);
    }
  });
});

describe("issuer keys", () => {
  it("are named by their thumbprint, and are restored from their private half", async () => {
    const key = await generateIssuerKey();
    expect(key.keyId).toMatch(/^[A-Za-z0-9_-]{4}$/);
    expect(await issuerKeyFrom(structuredClone(key.privateJwk))).toEqual(key);
  });

  it("are generated again while their id is taken", async () => {
    const asked: string[] = [];
    const takenKeyIds = { has: (keyId: string) => asked.push(keyId) <= 2 };
    const key = await generateIssuerKey({ takenKeyIds });
    expect(asked).toHaveLength(3);
    expect(asked[2]).toBe(key.keyId);
  });

  it("have no id that a command line would take for an option", async () => {
    const keys = await Promise.all(Array.from({ length: 500 }, () => generateIssuerKey()));
    expect(keys.map(({ keyId }) => keyId).filter((keyId) => keyId.startsWith("-"))).toEqual([]);
  });

  it("are published as a key set that a JOSE library verifies with", async () => {
    const [old, current] = [await generateIssuerKey(), await generateIssuerKey()];
    const jwks = toJwks([current, old]);
    expect(jwks.keys.map(({ kid }) => kid)).toEqual([current.keyId, old.keyId]);
    const [first] = jwks.keys;
    const token = await signCompact(current.privateJwk, { alg: "EdDSA", typ: "petak-collect" }, { jti: "x" });
    expect((await jwtVerify(token, await importJWK({ ...first }))).payload).toEqual({ jti: "x" });
    expect(JSON.stringify(jwks)).not.toContain(current.privateJwk.d);
  });
});
