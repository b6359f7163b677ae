import type { IssuerKeyPeriod } from "../keys/issuer-key-set.ts";
import { verifyText } from "../keys/verify-text.ts";
import type { ReportFault } from "./chain-link.ts";
import type { ReadSigned } from "./read-signed.ts";

/** A parsed JWS, its name in messages, the time it claims in ms, and the subject of its faults. */
interface Claimed {
  readonly read: ReadSigned<unknown>;
  readonly place: string;
  readonly atMs: number;
  readonly about?: { link?: number; eventId?: string };
}

/**
 * Whether one of the issuer's keys signed it; if not, reports a fault. A key that was not in use at the claimed time is reported too, but counts as a
 * signature, so that the content is still checked.
 */
export async function isSignedByIssuer(
  { read, place, atMs, about }: Claimed,
  issuerKeys: readonly IssuerKeyPeriod[],
  report: ReportFault,
): Promise<boolean> {
  const key = await findSigner(read, issuerKeys);
  if (key === "UNKNOWN") {
    report("ISSUER_UNKNOWN", `${place} is signed with the issuer key ${read.keyId}, which is not among the given keys`, about);
    return false;
  }
  if (key === undefined) {
    report("SIGNATURE", `${place} was changed after it was signed, or was not signed with the key ${read.keyId}`, about);
    return false;
  }
  if (atMs < (key.signsFromMs ?? 0) || atMs >= (key.signsUntilMs ?? Infinity)) {
    report("ISSUER_TIME", `${place} gives the time ${atMs} ms, when the issuer key ${key.keyId} was not in use`, about);
  }
  return true;
}

/** The key that signed. Key ids are only unique within a network, so several of the given keys may have the same one. */
async function findSigner(
  { keyId, signature, signed }: ReadSigned<unknown>,
  issuerKeys: readonly IssuerKeyPeriod[],
): Promise<IssuerKeyPeriod | "UNKNOWN" | undefined> {
  const candidates = issuerKeys.filter((key) => key.keyId === keyId);
  if (candidates.length === 0) return "UNKNOWN";
  for (const key of candidates) if (await verifyText(key.publicKey, signature, signed)) return key;
  return undefined;
}
