import type { Bytes } from "../bytes/bytes.ts";
import { framed, hmacSha256 } from "../bytes/digest.ts";

/**
 * A PIN has eight digits. An agent's lock-out leaves a guesser fewer than 200 tries a day: against 50 live PINs, six digits would let one
 * in on one day in a hundred, eight on one in ten thousand.
 */
export const pinLength = 8;

const pinCount = 10 ** pinLength;

/** The greatest multiple of 10^8 that four bytes hold. Numbers from here on are passed over, else low PINs would come up more often. */
const fairLimit = Math.floor(2 ** 32 / pinCount) * pinCount;

/**
 * The PIN of a request: eight digits that follow from the secret and the request, every PIN equally likely. A gateway asked again by the
 * same request gives the same PIN and keeps no readable copy.
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

/** Whether a text has the form of a PIN: eight digits. */
export function isPin(text: string): boolean {
  return /^[0-9]{8}$/.test(text);
}

/**
 * What is kept of a PIN: its HMAC-SHA-256 under the site's own key, 32 bytes. Without the key nobody can try the 10^8 PINs on it.
 *
 * @param pinKey the site's `pin_key`: 32 bytes
 */
export function hashPin(pinKey: Uint8Array, pin: string): Promise<Bytes> {
  return hmacSha256(pinKey, new TextEncoder().encode(pin));
}

/** A new key for a site's PINs: 32 bytes from the system's generator. */
export function newPinKey(): Bytes {
  return crypto.getRandomValues(new Uint8Array(32));
}
