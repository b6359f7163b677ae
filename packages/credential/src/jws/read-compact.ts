import { decodeBase64url } from "../bytes/base64url.ts";
import type { Bytes } from "../bytes/bytes.ts";
import { decodeText, isRecord } from "../bytes/canonical-json.ts";
import { tokenAlgorithm } from "./token-algorithm.ts";

/** A compact JWS of a participant's own key, not verified yet. */
export interface ReadCompact {
  readonly header: Record<string, unknown>;
  readonly claims: Record<string, unknown>;
  /** 64 bytes. Any other length fails the verification. */
  readonly signature: Bytes;
  /** The signed bytes. */
  readonly signed: Bytes;
}

/** What is wrong with the form or header of a JWS. */
export type CompactFault = "form" | "alg" | "typ" | "crit";

const encoder = new TextEncoder();

/** Parses a compact JWS of at most `maxLength` characters with EdDSA, the given `typ` and no critical header fields, or returns what is wrong. */
export function readCompact(text: string, type: string, maxLength: number): ReadCompact | CompactFault {
  if (text.length > maxLength) return "form";
  const parts = text.split(".");
  const [header64 = "", claims64 = "", signature64 = ""] = parts;
  const header = parseRecord(header64);
  const claims = parseRecord(claims64);
  const signature = decodeBase64url(signature64);
  if (parts.length !== 3 || header === undefined || claims === undefined || signature === undefined) return "form";
  if (header.alg !== tokenAlgorithm) return "alg";
  if (header.typ !== type) return "typ";
  if ("crit" in header) return "crit";
  return { header, claims, signature, signed: encoder.encode(`${header64}.${claims64}`) };
}

function parseRecord(base64url: string): Record<string, unknown> | undefined {
  const text = decodeText(base64url);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
