import { challengeLifetimeMs, judgePresence, type PresenceRefusal, readPresence } from "@petak/credential";
import type { DoorSnapshot } from "./snapshot.ts";

/** A token that is bound to a key, and the door that it is to open now. */
export interface BoundToken {
  readonly tokenId: string;
  readonly holderKeyHash: string;
  /** Where the holder says which door. Empty otherwise. */
  readonly compartmentId: string;
}

/**
 * Why the holder of a token that is bound to a key is not taken to be there, or undefined where all is well.
 *
 * @param proof what came with the token
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
  // A challenge that is yet to be given was given before the device's clock was set back.
  if (ageMs < 0 || ageMs >= challengeLifetimeMs) return "CHALLENGE_EXPIRED";
  return judgePresence(presence, { holderKeyHash, siteId, tokenId, compartmentId });
}
