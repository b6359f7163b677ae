import {
  type CryptoKey,
  checkSigningKey,
  type Ed25519PrivateJwk,
  requestTokenLifetimeMs,
  signEd25519,
  signRequestToken,
} from "@petak/credential";
import type { ModeName } from "@petak/protocol";

/** Signs requests for one key. */
export interface RequestSigner {
  /** The value of the Authorization header: `Bearer` and a token that is good for a minute at the least. */
  authorization(): Promise<string>;
  /** Signs a statement with the key, e.g. that of a report or a countersignature: 64 bytes. */
  sign(statement: string): Promise<Uint8Array<ArrayBuffer>>;
  /** The participant that the key belongs to. */
  readonly participantId: string;
  readonly keyId: string;
  /** Which network the key sees. */
  readonly mode: ModeName;
}

/** Options of a signer. The private key is a JWK, or a key that WebCrypto holds and may keep from being exported. */
export type RequestSignerOptions = SignerFacts &
  ({ privateJwk: Ed25519PrivateJwk; privateKey?: undefined } | { privateKey: CryptoKey; privateJwk?: undefined });

interface SignerFacts {
  participantId: string;
  /** The registered key's id. It says the key's mode. */
  keyId: string;
  /** The gateway's audience, as its configuration says. */
  audience: string;
  /** The clock, in ms. Default `Date.now`. */
  now?: () => number;
}

/** A token is signed anew this long before it expires, in ms, so that none expires on its way. */
const renewBeforeMs = 60_000;

/**
 * Makes a signer. One token serves all requests of four minutes: signing takes longer than a request's other work at the caller, and the
 * gateway remembers tokens that it has verified.
 *
 * Throws a TypeError where the key or its id is none.
 */
export function createRequestSigner(options: RequestSignerOptions): RequestSigner {
  const { participantId, keyId, audience, now = Date.now } = options;
  const privateKey = options.privateKey ?? options.privateJwk;
  const mode = modeOfKeyId(keyId);
  if (mode === undefined) throw new TypeError(`'${keyId}' is no key id; one begins with key_live_ or key_test_`);
  checkSigningKey(privateKey);
  let header: Promise<string> | undefined;
  let issuedAtMs = 0;

  return {
    participantId,
    keyId,
    mode,
    sign: (statement) => signEd25519(privateKey, new TextEncoder().encode(statement)),
    authorization() {
      const nowMs = now();
      // A clock that was set back would otherwise leave the token in the gateway's future.
      const isFresh = nowMs >= issuedAtMs && nowMs < issuedAtMs + requestTokenLifetimeMs - renewBeforeMs;
      if (header === undefined || !isFresh) {
        issuedAtMs = nowMs;
        header = signRequestToken({ participantId, keyId, privateKey, audience, issuedAtMs }).then((token) => `Bearer ${token}`);
      }
      return header;
    },
  };
}

/** The mode that a key id says, or undefined where the text is no key id. */
export function modeOfKeyId(keyId: string): ModeName | undefined {
  const match = /^key_(live|test)_/.exec(keyId);
  return match?.[1] as ModeName | undefined;
}
