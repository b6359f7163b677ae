import { accessTokenRefusals, presenceRefusals } from "@petak/credential";

/**
 * Why a door was refused, for the report. docs/credentials.md lists them all. The person at the door is told a {@link PersonRefusal} only.
 */
export const doorRefusals = {
  ...accessTokenRefusals,
  ...presenceRefusals,
  NOT_BOOTED: "The agent has never reached its gateway and has nothing to judge by.",
  REVOKED: "The gateway's list says that the credential was revoked.",
  SPENT: "The credential was used before.",
  RESERVATION_STATE: "The reservation is over or in doubt, as the gateway says or the agent saw.",
  ALREADY_DEPOSITED: "The reservation's parcel is inside already.",
  NOT_DEPOSITED: "No parcel of the reservation or bundle is known here.",
  IN_USE: "Another credential has just opened a door for the reservation, or the door that is to open.",
  IN_DOUBT: "What lies in the compartment must be checked first.",
  NO_COMPARTMENT: "No working compartment of the size class is empty.",
  COMPARTMENT: "The site has no such door, none was named, or the credential is for another.",
  OCCUPIED: "A parcel lies or may lie behind the door, and the credential does not name it.",
  PROMISED_COMPARTMENT: "The compartment that was promised to the reservation is not empty or does not work.",
  LOCK_FAILED: "The lock did not open.",
  PIN_MALFORMED: "It is not eight digits.",
  PIN_UNKNOWN: "No PIN of the site is so.",
  PIN_NOT_YET_VALID: "The PIN is not good yet.",
  PIN_EXPIRED: "The PIN has expired.",
  LOCKED_OUT: "Too many wrong PINs came; none is looked at now.",
} as const;

/** Why a door was refused, for the report. */
export type DoorRefusal = keyof typeof doorRefusals;

/**
 * What the person at the door is told. NOT_ACCEPTED is one answer for every credential that does not open, so that nobody learns from it
 * whether a credential exists, where or when. The others say nothing about a credential but to its holder.
 */
export type PersonRefusal =
  /** The credential does not open here now. */
  | "NOT_ACCEPTED"
  /** PINs are not looked at for some minutes; access tokens are. */
  | "PINS_LOCKED"
  /** The credential is good, and no place is free. */
  | "NO_PLACE_FREE"
  /** The credential is good, and the door does not open. */
  | "OUT_OF_ORDER";

/** What the person is told for a reported refusal. */
export function personRefusal(refusal: DoorRefusal): PersonRefusal {
  switch (refusal) {
    case "LOCKED_OUT":
      return "PINS_LOCKED";
    case "NO_COMPARTMENT":
    case "PROMISED_COMPARTMENT":
      return "NO_PLACE_FREE";
    case "LOCK_FAILED":
      return "OUT_OF_ORDER";
    default:
      return "NOT_ACCEPTED";
  }
}
