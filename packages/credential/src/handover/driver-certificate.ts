import { decodeBase64url, encodeBase64url } from "../bytes/base64url.ts";
import type { Bytes } from "../bytes/bytes.ts";
import { decodeText, isRecord, parseCanonicalJson } from "../bytes/canonical-json.ts";
import { signCompact } from "../jws/sign-compact.ts";
import { tokenAlgorithm } from "../jws/token-algorithm.ts";
import { isLowOrderPoint } from "../keys/low-order.ts";
import type { SigningKey } from "../keys/signing-key.ts";
import { verifyText } from "../keys/verify-text.ts";
import { isCourier, isHandoverSite } from "./list.ts";

/** The `typ` of a driver's certificate. */
export const driverCertificateType = "petak-driver";

/** The longest life of a driver's certificate, in s: a day and a half, so that one made in the evening is good until the next day's end. */
export const driverCertificateMaxLifetimeS = 36 * 3600;

/** The longest certificate, in characters. */
export const driverCertificateMaxLength = 600;

/** How far the courier's clock may be ahead of the site's, in s. */
const skewS = 300;
const latestS = 9_999_999_999;

/** A courier's registered key. */
export interface CourierKey {
  readonly courierId: string;
  readonly keyId: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** What a courier's registered key says of a driver's: that it may sign hand-over lists. */
export interface DriverCertificate {
  readonly courierId: string;
  /** The courier's key that signs the certificate. */
  readonly keyId: string;
  /** 32 bytes. */
  readonly driverKey: Bytes;
  /** The only site at which it is good. Empty: at every site. */
  readonly siteId: string;
  /** From when until when, in s since 1970. At most {@link driverCertificateMaxLifetimeS} apart. */
  readonly notBeforeS: number;
  readonly notAfterS: number;
}

/** What is wrong with a driver's certificate, in the order in which it is found. */
export const driverCertificateFaults = [
  "certificate_form",
  "certificate_claims",
  "certificate_courier",
  "certificate_key",
  "certificate_signature",
  "certificate_site",
  "certificate_time",
] as const;

export type DriverCertificateFault = (typeof driverCertificateFaults)[number];

/** Certifies a driver's key: a compact JWS by a registered key of the courier. */
export function signDriverCertificate(
  key: SigningKey,
  certificate: Omit<DriverCertificate, "driverKey"> & { driverKey: Uint8Array },
): Promise<string> {
  const { courierId, keyId, driverKey, siteId, notBeforeS, notAfterS } = certificate;
  return signCompact(
    key,
    { alg: tokenAlgorithm, typ: driverCertificateType, kid: keyId },
    { version: 1, courier_id: courierId, x: encodeBase64url(driverKey), site_id: siteId, nbf: notBeforeS, exp: notAfterS },
  );
}

/** Reads a certificate without verifying it. */
export function readDriverCertificate(text: string): DriverCertificate | "certificate_form" | "certificate_claims" {
  const [header64 = "", claims64 = "", signature64 = "", ...rest] = text.split(".");
  const header = parseCanonicalJson(decodeText(header64));
  const claims = parseCanonicalJson(decodeText(claims64));
  const isShort = text.length <= driverCertificateMaxLength && rest.length === 0;
  if (!isShort || !isRecord(header) || !isRecord(claims) || decodeBase64url(signature64)?.length !== 64) return "certificate_form";
  const { alg, typ, kid } = header;
  if (Object.keys(header).join() !== "alg,typ,kid" || alg !== tokenAlgorithm || typ !== driverCertificateType) return "certificate_form";
  return readClaims(kid, claims) ?? "certificate_claims";
}

/**
 * Judges a driver's certificate. Never throws.
 *
 * @param expected.courierKeys the registered keys that the judge knows
 * @param expected.atMs when the driver signed, in ms since 1970
 */
export async function judgeDriverCertificate(
  text: string,
  expected: { courierId: string; siteId: string; atMs: number; courierKeys: readonly CourierKey[] },
): Promise<DriverCertificate | DriverCertificateFault> {
  const certificate = readDriverCertificate(text);
  if (typeof certificate === "string") return certificate;
  const misfit = certificateMisfit(certificate, expected);
  if (misfit === "certificate_courier") return misfit;
  const key = expected.courierKeys.find(({ courierId, keyId }) => courierId === certificate.courierId && keyId === certificate.keyId);
  if (key === undefined || isLowOrderPoint(certificate.driverKey)) return "certificate_key";
  const [signed, signature] = splitSignature(text);
  if (!(await verifyText(key.publicKey, signature, signed))) return "certificate_signature";
  return misfit ?? certificate;
}

/** Why a certificate, whoever signed it, is not good for a hand-over of this courier, at this site, at this time. Undefined: it is. */
export function certificateMisfit(
  { courierId, siteId, notBeforeS, notAfterS }: DriverCertificate,
  expected: { courierId: string; siteId: string; atMs: number },
): "certificate_courier" | "certificate_site" | "certificate_time" | undefined {
  if (courierId !== expected.courierId) return "certificate_courier";
  if (siteId !== "" && siteId !== expected.siteId) return "certificate_site";
  const isInTime = expected.atMs >= (notBeforeS - skewS) * 1000 && expected.atMs < notAfterS * 1000;
  return isInTime ? undefined : "certificate_time";
}

function readClaims(kid: unknown, claims: Record<string, unknown>): DriverCertificate | undefined {
  const { version, courier_id, x, site_id, nbf, exp } = claims;
  if (Object.keys(claims).join() !== "version,courier_id,x,site_id,nbf,exp" || version !== 1 || !isCourier(courier_id)) return undefined;
  if (typeof kid !== "string" || !/^[\w-]{1,64}$/.test(kid)) return undefined;
  const driverKey = typeof x === "string" ? decodeBase64url(x) : undefined;
  if (driverKey?.length !== 32 || !(site_id === "" || isHandoverSite(site_id)) || !isTimeS(nbf) || !isTimeS(exp)) return undefined;
  if (nbf >= exp || exp - nbf > driverCertificateMaxLifetimeS) return undefined;
  return { courierId: courier_id, keyId: kid, driverKey, siteId: site_id as string, notBeforeS: nbf, notAfterS: exp };
}

function splitSignature(compact: string): [signed: string, signature: Bytes] {
  const end = compact.lastIndexOf(".");
  return [compact.slice(0, end), decodeBase64url(compact.slice(end + 1)) ?? new Uint8Array()];
}

function isTimeS(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= latestS;
}
