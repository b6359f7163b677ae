import { challengeLifetimeMs, judgePresence, type PresenceRefusal, readPresence } from "@petak/credential";
import type { DoorSnapshot } from "./snapshot.ts";

/** A token that is bound to a key, and the door to open. */
export interface BoundToken {
  readonly tokenId: string;
  readonly holderKeyHash: string;
  /** The door that the holder named. Empty: none. */
  readonly compartmentId: string;
}

/**
 * Verifies that the holder of a token bound to a key is present. Undefined: it is; otherwise the reason.
 *
 * @param proof the presence proof that was presented with the token
 */
export async function refusePresence(
  proof: string | undefined,
  { holderKeyHash, tokenId, compartmentId }: BoundToken,
  { siteId, challengeAgeMs }: DoorSnapshot,
): Promise<PresenceRefusal | undefined> {
  if (proof === undefined) return "PRESENCE_MISSING";
  const presence = readPresence(proof);
  if (presence === undefined) return "PRESENCE_MALFORMED";
  const ageMs = challengeAgeMs(presence.challenge);
  if (ageMs === undefined) return "CHALLENGE_UNKNOWN";
  // A negative age: the challenge was issued before the device's clock was set back.
  if (ageMs < 0 || ageMs >= challengeLifetimeMs) return "CHALLENGE_EXPIRED";
  return judgePresence(presence, { holderKeyHash, siteId, tokenId, compartmentId });
}
