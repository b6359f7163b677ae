/** What can be wrong with a chain of receipts, and what each means. docs/custody.md lists them. */
export const chainFaults = {
  MALFORMED: "The link is no receipt, or the statement none, in its one spelling.",
  ISSUER_UNKNOWN: "No issuer key that was given has the `kid` of the link or the statement.",
  SIGNATURE: "The gateway's signature is not good: the link or the statement was changed, or another key signed it.",
  ISSUER_TIME: "The issuer's key did not sign at the time at which the link says it was recorded, or the statement that it was made.",
  STATED: "The number or the hash that stands beside the link is not the link's.",
  OTHER_CHAIN: "The link or the statement is another reservation's.",
  MISSING: "A link of the chain is not there.",
  ORDER: "The links do not stand in the order of their numbers, or one stands there twice.",
  PREVIOUS: "The link does not name the hash of the one before.",
  HEAD: "The reservation or the statement says that the chain ends otherwise.",
  INCOMPLETE: "The chain does not lead to the state in which the reservation is.",
  STATE_DIFFERS: "The reservation is in another state or revision than the statement says.",
  EVENT_MISSING: "An event that was signed, a link's or one of the statement's, is not there.",
  EVENT_DIFFERS: "An event says something else than was signed.",
  EVENT_UNSIGNED: "An event of which a receipt is made has none.",
  EVENT_ORDER: "The events do not follow one another, or stand in another order than was signed.",
  EVENT_ADDED: "An event is not among those that the statement has.",
  EVENT_HASHES: "The events' hashes that stand beside the statement are not those that it has.",
  RESERVATION_DIFFERS: "The reservation says something else.",
  REPORT_MISSING: "The site's agent did not sign what it reported.",
  REPORT_SIGNATURE: "The signature of the site's agent is not good.",
  COUNTERSIGNATURE: "The other side's signature is not one under the link that it names.",
} as const satisfies Record<string, string>;

/** What is wrong, as a constant. */
export type ChainFaultCode = keyof typeof chainFaults;

/** One thing that is wrong with a chain. */
export interface ChainFault {
  readonly code: ChainFaultCode;
  /** The number of the link. Undefined where it is about no link: about the statement, or about what belongs to no link. */
  readonly link?: number;
  /** The event that it is about. Empty where it is about none. */
  readonly eventId: string;
  /** What is wrong, in a sentence that names the values. */
  readonly message: string;
}
