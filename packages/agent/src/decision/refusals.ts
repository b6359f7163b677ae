import { accessTokenRefusals, presenceRefusals } from "@petak/credential";

/**
 * Why a door did not open, for reports. docs/credentials.md lists them all. The person at the door sees only a {@link PersonRefusal}.
 */
export const doorRefusals = {
  ...accessTokenRefusals,
  ...presenceRefusals,
  NOT_BOOTED: "The agent has never reached its gateway, so it has no keys to verify with.",
  REVOKED: "The gateway has listed the credential as revoked.",
  SPENT: "The credential was used before.",
  RESERVATION_STATE: "The reservation has ended or is in doubt, according to the gateway or the agent's own record.",
  ALREADY_DEPOSITED: "The reservation's parcel is already inside.",
  SITE_OUT_OF_SERVICE:
    "The site is paused, not open yet, or retired, and takes no parcels in, according to the gateway, or a command took it out of service.",
  NOT_DEPOSITED: "The agent knows of no parcel of the reservation or bundle at this site.",
  IN_USE: "Another credential has just opened this door, or another door for the reservation.",
  IN_DOUBT: "Somebody must first check what is in the compartment.",
  NO_COMPARTMENT: "No working compartment of the size class is empty.",
  COMPARTMENT: "The site has no such door, no door was named, or the credential is for another door.",
  OCCUPIED: "There may be a parcel behind the door, and the credential does not name that door.",
  PROMISED_COMPARTMENT: "The compartment that was promised to the reservation is not empty or is out of order.",
  LOCK_FAILED: "The lock did not open.",
  PIN_MALFORMED: "The PIN does not have eight digits.",
  PIN_UNKNOWN: "The site has no such PIN.",
  PIN_NOT_YET_VALID: "The PIN is not valid yet.",
  PIN_EXPIRED: "The PIN has expired.",
  WRONG_PARCEL: "The parcel that the clerk scanned is not the one of the credential; the hand-over goes on.",
  STORAGE_FAILED: "The terminal's disk is full or broken, so that no opening could be recorded. No credential was judged.",
  LOCKED_OUT: "PINs are refused for some minutes after too many wrong ones.",
} as const;

/** Why a door did not open, for reports. */
export type DoorRefusal = keyof typeof doorRefusals;

/**
 * What the person at the door sees. NOT_ACCEPTED covers every credential that does not open, so that it does not reveal whether a credential exists or where and
 * when it is valid. The others reveal nothing about a credential except to its holder.
 */
export type PersonRefusal =
  /** The credential does not open here now. */
  | "NOT_ACCEPTED"
  /** PINs are refused for some minutes; access tokens are accepted. */
  | "PINS_LOCKED"
  /** The credential is valid, but no place is free. */
  | "NO_PLACE_FREE"
  /** The credential is valid, but the site takes no parcels in for now. Parcels inside can be collected. */
  | "NO_DEPOSITS"
  /** The credential is valid, but the door does not open; or the terminal is out of order, whatever the credential. */
  | "OUT_OF_ORDER";

/** What the person sees for a reported refusal. */
export function personRefusal(refusal: DoorRefusal): PersonRefusal {
  switch (refusal) {
    case "LOCKED_OUT":
      return "PINS_LOCKED";
    case "NO_COMPARTMENT":
    case "PROMISED_COMPARTMENT":
      return "NO_PLACE_FREE";
    case "SITE_OUT_OF_SERVICE":
      return "NO_DEPOSITS";
    case "LOCK_FAILED":
    case "STORAGE_FAILED":
      return "OUT_OF_ORDER";
    default:
      return "NOT_ACCEPTED";
  }
}
