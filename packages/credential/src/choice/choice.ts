import { ParcelRequirement, Purpose } from "@petak/protocol";
import { readCompact } from "../jws/read-compact.ts";
import { signCompact } from "../jws/sign-compact.ts";
import { tokenAlgorithm } from "../jws/token-algorithm.ts";
import { verifyEd25519 } from "../keys/ed25519.ts";
import type { IssuerKeyPair } from "../keys/issuer-key.ts";
import type { IssuerKeyPeriod } from "../keys/issuer-key-set.ts";
import { isLowOrderPoint } from "../keys/low-order.ts";
import { nameOf } from "../receipts/names.ts";

/** The `typ` of a choice. */
export const choiceType = "petak-choice";

/** How long a choice is in force after it was signed, in ms: long enough for a payment. */
export const choiceLifetimeMs = 900_000;

/** The longest choice, in characters. One has about 500. */
export const choiceMaxLength = 1024;

/** The parcel of a choice: the facts by which a fit is decided. */
export interface ChosenParcel {
  readonly widthMm: number;
  readonly heightMm: number;
  readonly depthMm: number;
  readonly massG: number;
  readonly requirements: readonly ParcelRequirement[];
}

/** What a gateway signed: a parcel fitted at a site, and a place was free. */
export interface Choice {
  /** The participant that asked, or whose publishable key asked. */
  readonly participantId: string;
  readonly siteId: string;
  /** The smallest size class that fitted and had a place free. */
  readonly sizeClassId: string;
  /** Its sides are in ascending order, because fit is decided in any rotation. */
  readonly parcel: ChosenParcel;
  /** Never UNSPECIFIED. */
  readonly purpose: Purpose;
  /** When it was signed, in ms; a whole second. */
  readonly issuedAtMs: number;
  /** {@link choiceLifetimeMs} later. */
  readonly expiresAtMs: number;
}

/** What is wrong with a choice, in the order in which it is found. */
export type ChoiceFault = "form" | "alg" | "typ" | "crit" | "kid" | "signature" | "claims";

/** Signs a choice: a compact JWS. The same input gives the same choice. */
export async function signChoice(
  key: Pick<IssuerKeyPair, "keyId" | "privateJwk">,
  { participantId, siteId, sizeClassId, parcel, purpose, issuedAtMs }: Omit<Choice, "expiresAtMs">,
): Promise<string> {
  const issuedAtS = Math.floor(issuedAtMs / 1000);
  return signCompact(
    key.privateJwk,
    { alg: tokenAlgorithm, typ: choiceType, kid: key.keyId },
    {
      aud: participantId,
      sub: siteId,
      size_class: sizeClassId,
      sides_mm: sidesOf(parcel),
      mass_g: parcel.massG,
      requirements: requirementNames(parcel),
      purpose: nameOf(Purpose, deliveryUnlessSet(purpose)),
      iat: issuedAtS,
      exp: issuedAtS + choiceLifetimeMs / 1000,
    },
  );
}

/**
 * Reads a choice and verifies who signed it, whatever the time is now. Never throws.
 *
 * @param issuerKeys the gateway's keys; one that signed when the choice says it was signed must have signed it
 */
export async function readChoice(text: string, issuerKeys: readonly IssuerKeyPeriod[]): Promise<Choice | ChoiceFault> {
  const read = readCompact(text, choiceType, choiceMaxLength);
  if (typeof read === "string") return read;
  const { header, claims, signature, signed } = read;
  const candidates = issuerKeys.filter(({ keyId }) => keyId === header.kid);
  if (candidates.length === 0) return "kid";
  for (const { publicKey, signsFromMs = 0, signsUntilMs = Number.POSITIVE_INFINITY } of candidates) {
    if (isLowOrderPoint(publicKey) || !(await verifyEd25519(publicKey, signature, signed))) continue;
    const choice = readClaims(claims);
    // A key that was replaced signs nothing any more, and what it signed has expired. `iat` is the second in which a choice was signed.
    const isInForce = choice !== undefined && choice.issuedAtMs > signsFromMs - 1000 && choice.issuedAtMs < signsUntilMs;
    return isInForce ? choice : "claims";
  }
  return "signature";
}

/** Whether two parcels are the same for a fit: their sides in any order, their mass and their requirements. */
export function isSameParcel(one: ChosenParcel, other: ChosenParcel): boolean {
  return (
    one.massG === other.massG &&
    sidesOf(one).join() === sidesOf(other).join() &&
    requirementNames(one).join() === requirementNames(other).join()
  );
}

/** The purpose that a request means. */
export function deliveryUnlessSet(purpose: Purpose): Purpose {
  return purpose === Purpose.UNSPECIFIED ? Purpose.DELIVERY : purpose;
}

function sidesOf({ widthMm, heightMm, depthMm }: ChosenParcel): number[] {
  return [widthMm, heightMm, depthMm].sort((a, b) => a - b);
}

/** The names of a parcel's requirements in the protocol, in the order of their numbers. */
export function requirementNames({ requirements }: ChosenParcel): string[] {
  return [...requirements].sort((a, b) => a - b).map((requirement) => nameOf(ParcelRequirement, requirement));
}

function readClaims(claims: Record<string, unknown>): Choice | undefined {
  const { aud, sub, size_class, sides_mm, mass_g, requirements, purpose, iat, exp } = claims;
  const purposeValue = enumValue(Purpose, purpose);
  const required = Array.isArray(requirements) ? requirements.map((name) => enumValue(ParcelRequirement, name)) : undefined;
  if (typeof aud !== "string" || typeof sub !== "string" || typeof size_class !== "string" || purposeValue === undefined) return undefined;
  if (!Array.isArray(sides_mm) || sides_mm.length !== 3 || !sides_mm.every(isCount) || !isCount(mass_g)) return undefined;
  if (required === undefined || !required.every((value) => value !== undefined)) return undefined;
  if (!isCount(iat) || exp !== iat + choiceLifetimeMs / 1000) return undefined;
  const [widthMm, heightMm, depthMm] = sides_mm as [number, number, number];
  return {
    participantId: aud,
    siteId: sub,
    sizeClassId: size_class,
    parcel: { widthMm, heightMm, depthMm, massG: mass_g, requirements: required },
    purpose: purposeValue,
    issuedAtMs: iat * 1000,
    expiresAtMs: iat * 1000 + choiceLifetimeMs,
  };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function enumValue<Values extends Readonly<Record<string, string | number>>>(
  values: Values,
  name: unknown,
): Extract<Values[keyof Values], number> | undefined {
  const value = typeof name === "string" && Object.hasOwn(values, name) ? values[name] : undefined;
  return typeof value === "number" ? (value as Extract<Values[keyof Values], number>) : undefined;
}
