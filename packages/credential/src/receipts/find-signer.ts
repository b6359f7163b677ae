import type { IssuerKeyPeriod } from "../keys/issuer-key-set.ts";
import type { Complain } from "./chain-link.ts";
import type { ReadSigned } from "./read-signed.ts";
import { verifyText } from "./signed-text.ts";

/** What was read, where it stands for people, when it says it was signed in ms, and what a complaint is about. */
interface Claimed {
  readonly read: ReadSigned<unknown>;
  readonly place: string;
  readonly atMs: number;
  readonly about?: { link?: number; eventId?: string };
}

/**
 * Whether an issuer's key signed it. Complains where none did, and where the one that did signed at another time than it says: of that nothing else
 * is wrong, so it counts as signed.
 */
export async function isSignedByIssuer(
  { read, place, atMs, about }: Claimed,
  issuerKeys: readonly IssuerKeyPeriod[],
  complain: Complain,
): Promise<boolean> {
  const key = await findSigner(read, issuerKeys);
  if (key === "UNKNOWN") {
    complain("ISSUER_UNKNOWN", `${place} is signed with the issuer's key ${read.keyId}, which is not among those that were given`, about);
    return false;
  }
  if (key === undefined) {
    complain("SIGNATURE", `${place} was changed after it was signed, or another key than ${read.keyId} signed it`, about);
    return false;
  }
  if (atMs < (key.signsFromMs ?? 0) || atMs >= (key.signsUntilMs ?? Infinity)) {
    complain("ISSUER_TIME", `${place} is of ${atMs} ms, when the issuer's key ${key.keyId} did not sign`, about);
  }
  return true;
}

/** The key that signed: one of those with its id. Networks choose their ids by themselves, so that two may have the same. */
async function findSigner(
  { keyId, signature, signed }: ReadSigned<unknown>,
  issuerKeys: readonly IssuerKeyPeriod[],
): Promise<IssuerKeyPeriod | "UNKNOWN" | undefined> {
  const candidates = issuerKeys.filter((key) => key.keyId === keyId);
  if (candidates.length === 0) return "UNKNOWN";
  for (const key of candidates) if (await verifyText(key.publicKey, signature, signed)) return key;
  return undefined;
}
