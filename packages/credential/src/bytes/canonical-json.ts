import { decodeBase64url } from "./base64url.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The UTF-8 text in base64url, or undefined where it is not that in its one spelling. */
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
 * Parses JSON that is written the one way JSON.stringify writes it: no spaces, no needless escapes, no member twice. So two readers
 * cannot read one text differently.
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

/** Whether a value is an object with members, and no list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
