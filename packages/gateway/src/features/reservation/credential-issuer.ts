import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  accessTokenMaxLifetimeMs,
  type ClaimsToWrite,
  credentialHash,
  deriveTokenId,
  generatePin,
  hashPin,
  holderKeyHash,
  mintAccessToken,
  readOwnToken,
} from "@petak/credential";
import { type FullTerms, opensUntilMs, type PinEntry } from "@petak/lifecycle";
import { Act, parseBundleId, type Reservation, type TrustBundle } from "@petak/protocol";
import type { GatewaySecrets } from "../../secrets/gateway-secrets.ts";
import { signingKey, trustBundleAt } from "../../secrets/issuer-epochs.ts";

/** When a credential opens, in s since 1970. */
export interface CredentialValidity {
  notBeforeS: number;
  expiresAtS: number;
}

/** From what a credential can be made again, bit for bit: it is remembered in place of the credential. */
export interface CredentialTerms extends CredentialValidity {
  /** Counts the PINs tried: one that another parcel at the site has already is passed over. */
  attempt: number;
  /** Which of the site's size classes it was when the credential was issued: the operator may order them anew later. */
  sizeClassIndex: number;
}

/** What a credential is for: a reservation or a bundle, by its id, and its site. */
export interface CredentialSubject {
  siteId: string;
  subjectId: string;
}

/** What a credential is issued for. */
export interface IssueInput extends CredentialSubject {
  requestId: string;
  act: Act;
  withPin: boolean;
  /** 32 bytes: whose the token is. Undefined: it opens for whoever shows it. */
  holderPublicKey?: Uint8Array | undefined;
  /** Whether it is a delegate's. Default false. */
  isDelegated?: boolean;
  terms: CredentialTerms;
}

/** What a credential for work at a site is issued for. */
export interface IssueServiceInput {
  siteId: string;
  /** The one door that it opens. Empty: each behind which no parcel lies. */
  compartmentId: string;
  holderPublicKey: Uint8Array;
  terms: CredentialValidity;
}

/** A credential. Its fields are those of the answers that carry one. */
export interface IssuedCredential {
  accessToken: string;
  /** Empty unless asked for. */
  pin: string;
  notBefore: Timestamp;
  expiresAt: Timestamp;
  /** The hash by which events speak of the access token. */
  credentialHash: string;
}

/** Makes credentials. The same request makes the same credential, so that no readable copy has to be kept. */
export interface CredentialIssuer {
  /**
   * When a credential opens that is issued now. The reservation's own limit must not have passed. One for COLLECT that is issued before the deposit
   * opens for the terms' free storage after the last moment for it.
   */
  validity(reservation: Reservation, terms: FullTerms, act: Act, nowMs: number): CredentialValidity;
  /** When a credential for work at a site opens that is issued now. */
  serviceValidity(nowMs: number): CredentialValidity;
  /** The issuer keys that are relied on at a time, in ms. */
  trustBundle(nowMs: number): TrustBundle;
  encodeTerms(terms: CredentialTerms): Uint8Array;
  decodeTerms(bytes: Uint8Array): CredentialTerms;
  /** The PIN as the site knows it. */
  pinEntry(subject: CredentialSubject, requestId: string, terms: CredentialTerms): Promise<PinEntry>;
  issue(input: IssueInput): Promise<IssuedCredential>;
  issueService(input: IssueServiceInput): Promise<IssuedCredential>;
}

/** A credential for work at a site is good for a shift, in ms. */
export const serviceLifetimeMs = 8 * 3_600_000;

const termsBytes = 10;

/** Issues with a gateway's keys. */
export function createCredentialIssuer(secrets: GatewaySecrets): CredentialIssuer {
  const pinOf = (subjectId: string, requestId: string, attempt: number) =>
    generatePin(secrets.derivationKey, {
      reservationId: subjectId,
      requestId: attempt === 0 ? requestId : `${requestId}#${attempt}`,
    });

  return {
    validity(reservation, terms, act, nowMs) {
      const notBeforeS = Math.floor(nowMs / 1000);
      const wantedS = Math.floor(opensUntilMs(reservation, terms, act, nowMs) / 1000);
      const longestS = notBeforeS + Math.floor(accessTokenMaxLifetimeMs / 1000);
      return { notBeforeS, expiresAtS: Math.min(wantedS, longestS) };
    },
    serviceValidity(nowMs) {
      const notBeforeS = Math.floor(nowMs / 1000);
      return { notBeforeS, expiresAtS: notBeforeS + serviceLifetimeMs / 1000 };
    },
    trustBundle: (nowMs) => trustBundleAt(secrets.issuerEpochs(), nowMs),
    encodeTerms({ notBeforeS, expiresAtS, attempt, sizeClassIndex }) {
      const bytes = Buffer.alloc(termsBytes);
      bytes.writeUInt32LE(notBeforeS, 0);
      bytes.writeUInt32LE(expiresAtS, 4);
      bytes.writeUInt8(attempt, 8);
      bytes.writeUInt8(sizeClassIndex, 9);
      return bytes;
    },
    decodeTerms(bytes) {
      const buffer = Buffer.from(bytes);
      return {
        notBeforeS: buffer.readUInt32LE(0),
        expiresAtS: buffer.readUInt32LE(4),
        attempt: buffer.readUInt8(8),
        sizeClassIndex: buffer.readUInt8(9),
      };
    },
    async pinEntry({ siteId, subjectId }, requestId, { notBeforeS, expiresAtS, attempt }) {
      const pin = await pinOf(subjectId, requestId, attempt);
      return { hash: await hashPin(await secrets.pinKey(siteId), pin), notBeforeS, expiresAtS };
    },
    async issue({ siteId, subjectId, requestId, act, withPin, holderPublicKey, isDelegated = false, terms }) {
      const identity =
        holderPublicKey === undefined
          ? { tokenId: await deriveTokenId(secrets.derivationKey, { reservationId: subjectId, requestId }) }
          : { holderKeyHash: await holderKeyHash(holderPublicKey) };
      const subject = parseBundleId(subjectId) === undefined ? { reservationId: subjectId } : { bundleId: subjectId };
      return {
        ...(await tokenOf(terms, { act, siteId, ...subject, isDelegated, ...identity, sizeClassIndex: terms.sizeClassIndex })),
        pin: withPin ? await pinOf(subjectId, requestId, terms.attempt) : "",
      };
    },
    async issueService({ siteId, compartmentId, holderPublicKey, terms }) {
      const keyHash = await holderKeyHash(holderPublicKey);
      const token = await tokenOf(terms, { act: Act.SERVICE, siteId, compartmentId, holderKeyHash: keyHash });
      return { ...token, pin: "" };
    },
  };

  async function tokenOf({ notBeforeS, expiresAtS }: CredentialValidity, claims: Omit<ClaimsToWrite, "notBeforeMs" | "expiresAtMs">) {
    const times = { notBeforeMs: notBeforeS * 1000, expiresAtMs: expiresAtS * 1000 };
    const issuerKey = signingKey(secrets.issuerEpochs(), times.notBeforeMs);
    const accessToken = await mintAccessToken({ issuerKey, ...claims, ...times });
    return {
      accessToken,
      credentialHash: await credentialHash((await readOwnToken(accessToken))?.tokenId ?? ""),
      notBefore: timestampFromMs(times.notBeforeMs),
      expiresAt: timestampFromMs(times.expiresAtMs),
    };
  }
}
