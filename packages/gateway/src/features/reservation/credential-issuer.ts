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
import type { PinKeys } from "@petak/records";
import type { GatewaySecrets } from "../../secrets/gateway-secrets.ts";
import { trustBundleAt } from "../../secrets/issuer-epochs.ts";
import { unrevokedKey } from "../../secrets/unrevoked-key.ts";

/** Period in which a credential opens, in s since 1970. */
export interface CredentialValidity {
  notBeforeS: number;
  expiresAtS: number;
}

/** The inputs from which a credential can be made again bit for bit. They are stored in place of the credential. */
export interface CredentialTerms extends CredentialValidity {
  /** Number of PINs that were skipped because another parcel at the site has them. */
  attempt: number;
  /** Index of the size class at the time of issue. The operator may reorder the site's classes later. */
  sizeClassIndex: number;
}

/** The subject of a credential. */
export interface CredentialSubject {
  siteId: string;
  /** Id of a reservation or a bundle. */
  subjectId: string;
}

/** Input of {@link CredentialIssuer.issue}. */
export interface IssueInput extends CredentialSubject {
  requestId: string;
  act: Act;
  withPin: boolean;
  /** Public key to which the token is bound, 32 bytes. Undefined: anybody who presents the token may use it. */
  holderPublicKey?: Uint8Array | undefined;
  /** Whether the credential is a delegation. Default false. */
  isDelegated?: boolean;
  terms: CredentialTerms;
}

/** Input of {@link CredentialIssuer.issueService}. */
export interface IssueServiceInput {
  siteId: string;
  /** The only door that it opens. Empty: all doors of compartments without a parcel. */
  compartmentId: string;
  holderPublicKey: Uint8Array;
  terms: CredentialValidity;
}

/** A credential, with the fields of the responses that contain one. */
export interface IssuedCredential {
  accessToken: string;
  /** Empty unless requested. */
  pin: string;
  notBefore: Timestamp;
  expiresAt: Timestamp;
  /** Hash that identifies the access token in events. */
  credentialHash: string;
}

/** Issues credentials. The same input gives the same credential, so that no readable copy is stored. */
export interface CredentialIssuer {
  /**
   * Validity of a credential that is issued now. The reservation's limit in force must not have passed. A COLLECT credential that is issued before the
   * deposit is valid until the free storage after the latest possible deposit ends.
   */
  validity(reservation: Reservation, terms: FullTerms, act: Act, nowMs: number): CredentialValidity;
  /** Validity of a SERVICE credential that is issued now. */
  serviceValidity(nowMs: number): CredentialValidity;
  /** The trust bundle at a time, in ms. */
  trustBundle(nowMs: number): TrustBundle;
  encodeTerms(terms: CredentialTerms): Uint8Array;
  decodeTerms(bytes: Uint8Array): CredentialTerms;
  /** The PIN as the site stores it. */
  pinEntry(subject: CredentialSubject, requestId: string, terms: CredentialTerms): Promise<PinEntry>;
  issue(input: IssueInput): Promise<IssuedCredential>;
  issueService(input: IssueServiceInput): Promise<IssuedCredential>;
}

/** Lifetime of a SERVICE credential, in ms: one working shift. */
export const serviceLifetimeMs = 8 * 3_600_000;

const termsBytes = 10;

/** Creates an issuer with a gateway's secrets, and the generations of the keys for PINs. */
export function createCredentialIssuer(secrets: GatewaySecrets, pinKeys: Pick<PinKeys, "generation">): CredentialIssuer {
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
    trustBundle: (nowMs) => trustBundleAt(secrets.issuerEpochs(), nowMs, secrets.issuerCertificates()),
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
      const keyGeneration = await pinKeys.generation(siteId);
      return { hash: await hashPin(await secrets.pinKey(siteId, keyGeneration), pin), notBeforeS, expiresAtS, keyGeneration };
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
    const issuerKey = unrevokedKey(secrets, times.notBeforeMs, "access tokens");
    const accessToken = await mintAccessToken({ issuerKey, ...claims, ...times });
    return {
      accessToken,
      credentialHash: await credentialHash((await readOwnToken(accessToken))?.tokenId ?? ""),
      notBefore: timestampFromMs(times.notBeforeMs),
      expiresAt: timestampFromMs(times.expiresAtMs),
    };
  }
}
