import type { Bytes } from "../bytes/bytes.ts";
import { framed, hmacSha256 } from "../bytes/digest.ts";

/**
 * Digits of a PIN. An agent's lock-out leaves a guesser fewer than 200 tries a day: with 50 valid PINs, a guesser succeeds on one day in a hundred with six
 * digits, on one day in ten thousand with eight.
 */
export const pinLength = 8;

const pinCount = 10 ** pinLength;

/** The greatest multiple of 10^8 in 32 bits. Numbers from here on are skipped; otherwise low PINs would be more likely. */
const fairLimit = Math.floor(2 ** 32 / pinCount) * pinCount;

/**
 * The PIN of a request: eight digits derived from secret and request, every PIN equally likely. A repeated request gets the same PIN, although the gateway
 * stores no readable copy.
 *
 * @param secret at least 32 bytes that only the gateway knows
 */
export async function generatePin(secret: Uint8Array, context: { reservationId: string; requestId: string }): Promise<string> {
  if (secret.length < 32) throw new RangeError(`the secret has ${secret.length} bytes; at least 32 are needed`);
  for (let counter = 0; ; counter += 1) {
    const digest = await hmacSha256(secret, framed("petak-pin", context.reservationId, context.requestId, String(counter)));
    const view = new DataView(digest.buffer);
    for (let offset = 0; offset < digest.length; offset += 4) {
      const number = view.getUint32(offset);
      if (number < fairLimit) return String(number % pinCount).padStart(pinLength, "0");
    }
  }
}

/** Whether a text has the form of a PIN: eight ASCII digits. */
export function isPin(text: string): boolean {
  return /^[0-9]{8}$/.test(text);
}

/**
 * The stored form of a PIN: its HMAC-SHA-256 under the site's key, 32 bytes. Without the key, the 10^8 PINs cannot be tried against it.
 *
 * @param pinKey the site's `pin_key`: 32 bytes
 */
export function hashPin(pinKey: Uint8Array, pin: string): Promise<Bytes> {
  return hmacSha256(pinKey, new TextEncoder().encode(pin));
}

/** A new key for a site's PINs: 32 random bytes. */
export function newPinKey(): Bytes {
  return crypto.getRandomValues(new Uint8Array(32));
}
