import {
  type CryptoKey,
  checkSigningKey,
  type Ed25519PrivateJwk,
  type ProvenCall,
  requestTokenLifetimeMs,
  signEd25519,
  signRequestProof,
  signRequestToken,
} from "@petak/credential";
import type { ModeName } from "@petak/protocol";

/** Signs requests with one key. */
export interface RequestSigner {
  /** The value of the Authorization header: `Bearer` and a token that is valid for at least another minute. */
  authorization(): Promise<string>;
  /** Signs a text, e.g. of a report or a countersignature: 64 bytes. */
  sign(statement: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Signs the proof of one call: the value of its DPoP header. */
  prove(call: CallToProve): Promise<string>;
  /** The participant that the key belongs to. */
  readonly participantId: string;
  readonly keyId: string;
  /** The gateway's audience. */
  readonly audience: string;
  /** The network of the key. */
  readonly mode: ModeName;
}

/** A call that needs a proof. */
export interface CallToProve extends Omit<ProvenCall, "requestToken"> {
  /** The call's Authorization header, with a token of the same signer. */
  authorization: string;
}

/** Options of a signer. The private key is a JWK, or a WebCrypto key, which need not be exportable. */
export type RequestSignerOptions = SignerFacts &
  ({ privateJwk: Ed25519PrivateJwk; privateKey?: undefined } | { privateKey: CryptoKey; privateJwk?: undefined });

interface SignerFacts {
  participantId: string;
  /** Id of the registered key; it contains the key's mode. */
  keyId: string;
  /** The gateway's configured audience. */
  audience: string;
  /** The clock, in ms. Default `Date.now`. */
  now?: () => number;
}

/** A token is renewed this long before it expires, in ms, so that none expires in transit. */
const renewBeforeMs = 60_000;

/**
 * Makes a signer. One token serves all requests of four minutes: signing costs more than the caller's other work for a request, and the gateway caches verified
 * tokens.
 *
 * Throws a TypeError if the key or its id is invalid.
 */
export function createRequestSigner(options: RequestSignerOptions): RequestSigner {
  const { participantId, keyId, audience, now = Date.now } = options;
  const privateKey = options.privateKey ?? options.privateJwk;
  const mode = modeOfKeyId(keyId);
  if (mode === undefined) throw new TypeError(`'${keyId}' is not a key id; key ids begin with key_live_ or key_test_`);
  checkSigningKey(privateKey);
  let header: Promise<string> | undefined;
  let issuedAtMs = 0;

  return {
    participantId,
    keyId,
    mode,
    audience,
    prove: ({ authorization, ...call }) =>
      signRequestProof({ ...call, requestToken: authorization.replace(/^Bearer /, ""), privateKey, keyId, issuedAtMs: now() }),
    sign: (statement) => signEd25519(privateKey, new TextEncoder().encode(statement)),
    authorization() {
      const nowMs = now();
      // If the clock was set back, the gateway would consider the token to be issued in the future.
      const isFresh = nowMs >= issuedAtMs && nowMs < issuedAtMs + requestTokenLifetimeMs - renewBeforeMs;
      if (header === undefined || !isFresh) {
        issuedAtMs = nowMs;
        header = signRequestToken({ participantId, keyId, privateKey, audience, issuedAtMs }).then((token) => `Bearer ${token}`);
      }
      return header;
    },
  };
}

/** The mode in a key id; undefined if the text is not a key id. */
export function modeOfKeyId(keyId: string): ModeName | undefined {
  const match = /^key_(live|test)_/.exec(keyId);
  return match?.[1] as ModeName | undefined;
}
