import { parseBundleId, parseReservationId, parseSiteId } from "@petak/protocol";
import { InvalidArgumentError } from "commander";

/** The subject of a credential: a reservation, a bundle, or a site (SERVICE). */
export type CredentialSubject = { kind: "reservation" | "bundle" | "site"; id: string };

/** Parses the id of a reservation, bundle or site. */
export function parseSubject(id: string): CredentialSubject {
  if (parseReservationId(id) !== undefined) return { kind: "reservation", id };
  if (parseBundleId(id) !== undefined) return { kind: "bundle", id };
  if (parseSiteId(id) !== undefined) return { kind: "site", id };
  throw new InvalidArgumentError("write the id of a reservation, res_…, of a bundle, bdl_…, or of a site, site_….");
}

/** Parses the id of a reservation or bundle. */
export function parseCollectable(id: string): CredentialSubject {
  const subject = parseSubject(id);
  if (subject.kind === "site") throw new InvalidArgumentError("write the id of a reservation, res_…, or of a bundle, bdl_….");
  return subject;
}

/** Parses an Ed25519 public key, 32 bytes in base64 or base64url. */
export function parsePublicKey(text: string): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(Buffer.from(text.trim(), "base64url"));
  if (!/^[\w+/-]{43}=?$/.test(text.trim()) || bytes.length !== 32) {
    throw new InvalidArgumentError("write the 32 bytes of an Ed25519 public key in base64.");
  }
  return bytes;
}
