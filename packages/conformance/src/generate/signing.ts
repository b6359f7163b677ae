/**
 * Keys and signatures of the vectors. Uses node:crypto only, not packages/credential: the vectors must not depend on the implementation that they test.
 */
import { createHash, createHmac, createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";

/** An issuer's key. */
export interface VectorKey {
  keyId: string;
  publicKey: Buffer;
  /** 32 bytes: the private key of RFC 8032. */
  seed: Buffer;
  privateKey: KeyObject;
}

/** DER prefix of a PKCS #8 Ed25519 key, before its 32 bytes (RFC 8410). */
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");

/** The order of Ed25519's base point. */
const groupOrder = 2n ** 252n + 27742317777372353535851937790883648493n;

/** The prime of Ed25519's field. */
const fieldPrime = 2n ** 255n - 19n;

/** SHA-256 of a text or of bytes. */
export function sha256(text: Uint8Array | string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** Bytes or a text in base64url. */
export function base64url(value: Uint8Array | string): string {
  return Buffer.from(value).toString("base64url");
}

/** A key derived from a name. */
export function keyNamed(name: string): VectorKey {
  const seed = sha256(`petak test vectors: ${name}`);
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: "der", type: "pkcs8" });
  const { x = "" } = createPublicKey(privateKey).export({ format: "jwk" });
  return { keyId: keyIdOf(x), publicKey: Buffer.from(x, "base64url"), seed, privateKey };
}

/** The key id of a public key in base64url: the first four characters of its RFC 7638 thumbprint. */
export function keyIdOf(x: string): string {
  return base64url(sha256(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`)).slice(0, 4);
}

/** The hash of a holder's key in tokens: 128 bits of its RFC 7638 thumbprint. */
export function holderHashOf(publicKey: Uint8Array): string {
  return base64url(sha256(`{"crv":"Ed25519","kty":"OKP","x":"${base64url(publicKey)}"}`).subarray(0, 16));
}

/** Texts, each preceded by its length in bytes as a 4-byte big-endian number. */
export function framed(...texts: string[]): Buffer {
  return Buffer.concat(
    texts.flatMap((text) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(text));
      return [length, Buffer.from(text)];
    }),
  );
}

/** The Ed25519 signature of a text or of bytes. */
export function signText(text: Uint8Array | string, { privateKey }: VectorKey): Buffer {
  return sign(null, Buffer.from(text), privateKey);
}

/** The HMAC-SHA-256 of a text. */
export function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** A signature with the group's order added to its S: it satisfies the equation, and RFC 8032 §5.1.7 refuses it. */
export function withGreatS(signature: Buffer): Buffer {
  return Buffer.concat([signature.subarray(0, 32), toLittleEndian(fromLittleEndian(signature.subarray(32)) + groupOrder)]);
}

/**
 * A signature whose R is off by the point of order 2. It satisfies the verification equation with the cofactor 8 but not the one without, so verifiers disagree on it
 * unless the specification says which one applies.
 */
export function signOffByTorsion(text: Uint8Array | string, key: VectorKey): Buffer {
  const nonce = keyNamed("a nonce");
  // The point of order 2 is (0, -1), and (x, y) + (0, -1) = (-x, -y).
  const spelt = fromLittleEndian(nonce.publicKey);
  const [sign255, y] = [spelt >> 255n, spelt & (2n ** 255n - 1n)];
  const r = toLittleEndian(((1n - sign255) << 255n) | (fieldPrime - y));
  const s = (scalarOf(nonce.seed) + challenge(r, key.publicKey, text) * scalarOf(key.seed)) % groupOrder;
  return Buffer.concat([r, toLittleEndian(s)]);
}

/** The hash of R, A and the message as a number. */
export function challenge(r: Uint8Array, publicKey: Uint8Array, text: Uint8Array | string): bigint {
  return fromLittleEndian(createHash("sha512").update(r).update(publicKey).update(text).digest()) % groupOrder;
}

function scalarOf(seed: Buffer): bigint {
  const half = createHash("sha512").update(seed).digest().subarray(0, 32);
  const clamped = Buffer.from(half);
  clamped[0] = (clamped[0] ?? 0) & 248;
  clamped[31] = ((clamped[31] ?? 0) & 127) | 64;
  return fromLittleEndian(clamped);
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
}

function toLittleEndian(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse();
}
