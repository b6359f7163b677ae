import { decodeBase64url } from "./base64url.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decodes UTF-8 text from canonical base64url; undefined if it is neither. */
export function decodeText(base64url: string): string | undefined {
  const bytes = decodeBase64url(base64url);
  if (bytes === undefined) return undefined;
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Parses JSON in canonical form, exactly as JSON.stringify writes it: no spaces, no needless escapes, no duplicate members. Two parsers therefore cannot
 * read one text differently. Undefined for anything else.
 */
export function parseCanonicalJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return JSON.stringify(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a value is an object that is neither null nor an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
