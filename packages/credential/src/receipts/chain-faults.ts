/** The faults that verification can find in a chain of receipts, with their meaning. docs/custody.md lists them. */
export const chainFaults = {
  MALFORMED: "The link or the statement is not in canonical form.",
  ISSUER_UNKNOWN: "None of the given issuer keys has the `kid` of the link or the statement.",
  SIGNATURE: "The gateway's signature is invalid: the link or the statement was changed, or another key signed it.",
  ISSUER_TIME: "The issuer's key was not in use at the time that the link or the statement gives.",
  STATED: "The number or hash beside the link is not that of the link.",
  OTHER_CHAIN: "The link or the statement belongs to another reservation.",
  MISSING: "A link of the chain is missing.",
  ORDER: "The links are not in the order of their numbers, or a link appears twice.",
  PREVIOUS: "The link does not contain the hash of the link before it.",
  HEAD: "The chain does not end as the reservation or the statement says.",
  INCOMPLETE: "The chain does not lead to the reservation's state.",
  STATE_DIFFERS: "The reservation's state or revision is not that of the statement.",
  EVENT_MISSING: "An event that a link or the statement covers is missing.",
  EVENT_DIFFERS: "An event differs from what was signed.",
  EVENT_UNSIGNED: "An event that must have a receipt has none.",
  EVENT_ORDER: "The events' states do not follow from one another, or the events are not in the signed order.",
  EVENT_ADDED: "An event is not covered by the statement.",
  EVENT_HASHES: "The event hashes beside the statement do not match it.",
  RESERVATION_DIFFERS: "The reservation differs from what was signed.",
  REPORT_MISSING: "The site's agent did not sign its report.",
  REPORT_SIGNATURE: "The signature of the site's agent is invalid.",
  PRESENCE: "The presence in the link does not show that the holder of the token's key was at the site.",
  HANDOVER: "The proof in the link does not show that courier and site signed a list with the parcel.",
  COUNTERSIGNATURE: "The countersignature does not match the link that it names.",
} as const satisfies Record<string, string>;

/** Code of a fault. */
export type ChainFaultCode = keyof typeof chainFaults;

/** A fault found in a chain. */
export interface ChainFault {
  readonly code: ChainFaultCode;
  /** Number of the link. Undefined if the fault concerns the statement or no single link. */
  readonly link?: number;
  /** Id of the event. Empty if the fault concerns no single event. */
  readonly eventId: string;
  /** Description for people, with the values. */
  readonly message: string;
}
