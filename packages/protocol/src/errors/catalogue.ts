import { Code } from "@connectrpc/connect";
import type { ErrorReason } from "../gen/petak/v1/error_reason_pb.ts";

/**
 * Whether the same request may come again. `no`: the request, the caller or the record must change first. `yes`: again, later each time.
 * `retry_info`: again after the time in RetryInfo, which such an error always carries and others never do.
 */
export type Retry = "no" | "yes" | "retry_info";

/** What the catalogue says of one reason. */
export interface CatalogueEntry {
  /** The value of petak.v1.ErrorReason. */
  readonly number: ErrorReason;
  /** The gRPC code on the wire. */
  readonly code: Code;
  /** What happened, in one sentence. */
  readonly meaning: string;
  /** What the caller can do, in one sentence. */
  readonly remedy: string;
  /** Whether the same request may come again. */
  readonly retry: Retry;
  /** The keys that the ErrorInfo's metadata may have, each with what its value says. */
  readonly metadata: Readonly<Record<string, string>>;
  /** HTTP statuses that the reason may have in place of its code's, under Connect and where no protocol is known. */
  readonly otherStatuses?: readonly number[];
}

/** Every reason for which a gateway refuses a request. docs/errors.md is printed from it. */
export const catalogue = {
  INVALID_FIELD: {
    number: 1,
    code: Code.InvalidArgument,
    meaning: "A field breaks its rule.",
    remedy: "Correct the fields that the BadRequest detail names; it says the rule of each.",
    retry: "no",
    metadata: {},
  },
  MALFORMED_MESSAGE: {
    number: 2,
    code: Code.InvalidArgument,
    meaning: "The body is no message of the method's type.",
    remedy: "Send the message that the protocol defines for the method, in the encoding that the content type says.",
    retry: "no",
    metadata: {},
  },
  MESSAGE_TOO_LARGE: {
    number: 3,
    code: Code.ResourceExhausted,
    meaning: "The message is longer than the gateway reads.",
    remedy: "Send less at once; `limit_bytes` says how much is read.",
    retry: "no",
    metadata: { limit_bytes: "the most bytes that are read of one message; absent where the headers are too long" },
    otherStatuses: [431],
  },
  METHOD_NOT_FOUND: {
    number: 4,
    code: Code.Unimplemented,
    meaning: "The gateway has no such method.",
    remedy: "Check service and method; server reflection lists them.",
    retry: "no",
    metadata: {},
    otherStatuses: [404, 405],
  },
  ENCODING_NOT_SUPPORTED: {
    number: 5,
    code: Code.Unimplemented,
    meaning: "The gateway does not speak that content type or compression.",
    remedy: "Use gRPC, gRPC-Web or Connect with JSON or binary messages, uncompressed or with gzip.",
    retry: "no",
    metadata: {
      accepted: "the content types that the method takes",
      encoding: "the compression that was asked for",
      supported: "the compressions there are",
    },
    otherStatuses: [415, 505],
  },
  DEADLINE_EXCEEDED: {
    number: 6,
    code: Code.DeadlineExceeded,
    meaning: "The deadline passed first.",
    remedy: "Send the same request again, with the same request_id where it has one.",
    retry: "yes",
    metadata: { timeout_ms: "the time that the call had" },
    otherStatuses: [408],
  },
  CANCELED: {
    number: 7,
    code: Code.Canceled,
    meaning: "The caller went away.",
    remedy: "Send the same request again if the answer is still wanted.",
    retry: "yes",
    metadata: {},
  },
  OVERLOADED: {
    number: 8,
    code: Code.ResourceExhausted,
    meaning: "The gateway has as many calls in hand as it takes.",
    remedy: "Wait as long as RetryInfo says, then send the same request again.",
    retry: "retry_info",
    metadata: { kind: "`unary` or `stream`", limit: "how many of the kind are taken at once" },
  },
  SHUTTING_DOWN: {
    number: 9,
    code: Code.Unavailable,
    meaning: "The gateway is stopping.",
    remedy: "Send the same request again; another gateway or the next start answers it.",
    retry: "retry_info",
    metadata: {},
  },
  STORE_UNAVAILABLE: {
    number: 10,
    code: Code.Unavailable,
    meaning: "The gateway cannot reach its records.",
    remedy: "Wait as long as RetryInfo says, then send the same request again.",
    retry: "retry_info",
    metadata: {},
  },
  INTERNAL: {
    number: 11,
    code: Code.Internal,
    meaning: "A defect of the gateway.",
    remedy: "Report it with the `x-request-id` of the answer.",
    retry: "no",
    metadata: { request_id: "what finds the defect in the gateway's log" },
  },
  CREDENTIALS_MISSING: {
    number: 20,
    code: Code.Unauthenticated,
    meaning: "No credentials came with the request.",
    remedy: "Send `Authorization: Bearer` with a signed request token or a publishable key.",
    retry: "no",
    metadata: {},
  },
  CREDENTIALS_MALFORMED: {
    number: 21,
    code: Code.Unauthenticated,
    meaning: "The Authorization header is neither a request token nor a publishable key.",
    remedy: "Send `Authorization: Bearer` with a signed request token or a publishable key.",
    retry: "no",
    metadata: {},
  },
  TOKEN_ALGORITHM_WRONG: {
    number: 22,
    code: Code.Unauthenticated,
    meaning: "The token is not signed with Ed25519.",
    remedy: 'Sign with the registered Ed25519 key and say `"alg": "EdDSA"`.',
    retry: "no",
    metadata: { expected: "what `alg` must be" },
  },
  TOKEN_TYPE_WRONG: {
    number: 23,
    code: Code.Unauthenticated,
    meaning: "The token is of another type.",
    remedy: 'Say `"typ": "petak-request+jwt"` in the header.',
    retry: "no",
    metadata: { expected: "what `typ` must be" },
  },
  TOKEN_AUDIENCE_WRONG: {
    number: 24,
    code: Code.Unauthenticated,
    meaning: "The token is meant for another gateway.",
    remedy: "Put the audience that `expected` names in `aud`.",
    retry: "no",
    metadata: { expected: "what `aud` must be" },
  },
  TOKEN_EXPIRED: {
    number: 25,
    code: Code.Unauthenticated,
    meaning: "The token has expired.",
    remedy: "Sign a new token; set the caller's clock if a fresh token is refused.",
    retry: "no",
    metadata: { server_time: "what the gateway's clock says" },
  },
  TOKEN_REPLAYED_AFTER_EXPIRY: {
    number: 26,
    code: Code.Unauthenticated,
    meaning: "The token was used here while it was good, and came again after it expired.",
    remedy: "Sign a new token before the old one expires; if you did not send this one, revoke the key.",
    retry: "no",
    metadata: {},
  },
  TOKEN_NOT_YET_VALID: {
    number: 27,
    code: Code.Unauthenticated,
    meaning: "The token is not good yet: the caller's clock is ahead.",
    remedy: "Set the caller's clock.",
    retry: "no",
    metadata: { server_time: "what the gateway's clock says" },
  },
  TOKEN_LIFETIME_TOO_LONG: {
    number: 28,
    code: Code.Unauthenticated,
    meaning: "The token would be good for longer than 10 minutes.",
    remedy: "Sign tokens with `exp` at most 600 s after `iat`.",
    retry: "no",
    metadata: { limit_seconds: "the longest time from `iat` to `exp`" },
  },
  TOKEN_SIGNATURE_WRONG: {
    number: 29,
    code: Code.Unauthenticated,
    meaning: "The signature does not match the key.",
    remedy: "Sign with the private half of the key that `kid` names.",
    retry: "no",
    metadata: { key_id: "the key that `kid` names" },
  },
  TOKEN_CLAIMS_INVALID: {
    number: 30,
    code: Code.Unauthenticated,
    meaning: "The token lacks a claim or has one of the wrong kind.",
    remedy: "Send the claims iss, aud, iat and exp, and the header fields alg, typ and kid.",
    retry: "no",
    metadata: { claim: "the claim or header field that is wrong" },
  },
  KEY_UNKNOWN: {
    number: 31,
    code: Code.Unauthenticated,
    meaning: "No such key is registered.",
    remedy: "Register the public key, or name a registered one in `kid`.",
    retry: "no",
    metadata: { key_id: "the key that was named" },
  },
  KEY_REVOKED: {
    number: 32,
    code: Code.Unauthenticated,
    meaning: "The key was revoked.",
    remedy: "Use another registered key.",
    retry: "no",
    metadata: { key_id: "the key that was named" },
  },
  KEY_ISSUER_MISMATCH: {
    number: 33,
    code: Code.Unauthenticated,
    meaning: "The key belongs to another participant than the token says.",
    remedy: "Put the key's own participant in `iss`.",
    retry: "no",
    metadata: { key_id: "the key that was named" },
  },
  ROLE_REQUIRED: {
    number: 40,
    code: Code.PermissionDenied,
    meaning: "The participant has not the role that the call needs.",
    remedy: "Ask the gateway's operator for the role, or let a participant call that has it.",
    retry: "no",
    metadata: { required: "the roles of which one is needed" },
  },
  PUBLISHABLE_KEY_NOT_ALLOWED: {
    number: 41,
    code: Code.PermissionDenied,
    meaning: "A publishable key reads the directory and nothing else.",
    remedy: "Make this call from a server, with a signed request token.",
    retry: "no",
    metadata: {},
  },
  ORIGIN_NOT_ALLOWED: {
    number: 42,
    code: Code.PermissionDenied,
    meaning: "The publishable key is tied to other web origins.",
    remedy: "Make a publishable key for this origin.",
    retry: "no",
    metadata: {},
  },
  AGENT_KEY_REQUIRED: {
    number: 43,
    code: Code.PermissionDenied,
    meaning: "The call is for a site's agent, with its own key.",
    remedy: "Register a key for the agent with its site_id and sign with that.",
    retry: "no",
    metadata: {},
  },
  AGENT_KEY_NOT_ALLOWED: {
    number: 44,
    code: Code.PermissionDenied,
    meaning: "An agent's key makes an agent's calls and nothing else.",
    remedy: "Sign with a key of the participant itself.",
    retry: "no",
    metadata: {},
  },
  AGENT_SITE_MISMATCH: {
    number: 45,
    code: Code.PermissionDenied,
    meaning: "The agent's key is registered for another site.",
    remedy: "Name the site that the key was registered for.",
    retry: "no",
    metadata: { expected: "the site that the key is registered for" },
  },
  MODE_MISMATCH: {
    number: 46,
    code: Code.PermissionDenied,
    meaning: "A test key touches the live network, or a live key the test network.",
    remedy: "Use a key of the other mode.",
    retry: "no",
    metadata: { site_id: "the site, where one of the other network is to be changed" },
  },
  RATE_LIMITED: {
    number: 47,
    code: Code.ResourceExhausted,
    meaning: "More requests than the key's rate, or more open streams than a participant may have.",
    remedy: "Wait as long as RetryInfo says, then send the same request again.",
    retry: "retry_info",
    metadata: { requests_per_second: "the key's rate" },
  },
  SITE_NOT_FOUND: {
    number: 60,
    code: Code.NotFound,
    meaning: "No such site, or none that the caller may see.",
    remedy: "Check the id, and that the key is of the site's network.",
    retry: "no",
    metadata: { site_id: "the site that was named" },
  },
  RESERVATION_NOT_FOUND: {
    number: 61,
    code: Code.NotFound,
    meaning: "No such reservation, or none to which the caller is a party.",
    remedy: "Check the id, and that the key is of the participant that made the reservation.",
    retry: "no",
    metadata: { reservation_id: "the reservation that was named" },
  },
  PARTICIPANT_NOT_FOUND: {
    number: 62,
    code: Code.NotFound,
    meaning: "No such participant, or none that the caller may see.",
    remedy: "Check the id; only ADMIN sees others.",
    retry: "no",
    metadata: { participant_id: "the participant that was named" },
  },
  KEY_NOT_FOUND: {
    number: 63,
    code: Code.NotFound,
    meaning: "No such key, or none that the caller may see.",
    remedy: "Check the id; only ADMIN sees others' keys.",
    retry: "no",
    metadata: { key_id: "the key that was named" },
  },
  REQUEST_ID_REUSED: {
    number: 64,
    code: Code.AlreadyExists,
    meaning: "The request id was used with another body.",
    remedy: "Make a new UUID for a new request; send the same body to retry the old one.",
    retry: "no",
    metadata: { request_id: "the id that was used before" },
  },
  CURSOR_INVALID: {
    number: 65,
    code: Code.InvalidArgument,
    meaning: "The cursor is not one that this gateway made.",
    remedy: "Send back a cursor as it was received, or none to begin at the oldest event.",
    retry: "no",
    metadata: {},
  },
  ILLEGAL_STATE: {
    number: 80,
    code: Code.FailedPrecondition,
    meaning: "The reservation's state does not allow the move.",
    remedy: "Read the reservation: `state` says where it stands, `wanted` what was asked for; docs/protocol.md has the moves.",
    retry: "no",
    metadata: {
      reservation_id: "the reservation",
      state: "where it stands",
      wanted: "the state that was asked for",
      subject: "the reservation",
    },
  },
  NO_PLACE_FREE: {
    number: 81,
    code: Code.ResourceExhausted,
    meaning: "No place that fits is free where it was asked for.",
    remedy: "Widen the radius or the filters, name another site, or try again later.",
    retry: "retry_info",
    metadata: {
      site_id: "the site, where one was named",
      radius_m: "the radius, where a place near a point was asked for; 0 means any distance",
    },
  },
  PARCEL_DOES_NOT_FIT: {
    number: 82,
    code: Code.FailedPrecondition,
    meaning: "The parcel fits no size class of the site.",
    remedy: "Check the parcel's millimetres and grams, or name another site.",
    retry: "no",
    metadata: { site_id: "the site", subject: "the site" },
  },
  SITE_NOT_ACCEPTING: {
    number: 83,
    code: Code.FailedPrecondition,
    meaning: "The site does not take reservations now, or not for this purpose.",
    remedy: "Name another site.",
    retry: "no",
    metadata: { site_id: "the site", subject: "the site" },
  },
  SITE_REGION_CHANGED: {
    number: 84,
    code: Code.FailedPrecondition,
    meaning: "The site's new place lies in another region.",
    remedy: "Retire the site and create another under a new reference.",
    retry: "no",
    metadata: { site_id: "the site", region: "the region of the new place", subject: "the site" },
  },
  CAPACITY_IN_USE: {
    number: 85,
    code: Code.FailedPrecondition,
    meaning: "The change takes away size classes or places that are in use.",
    remedy: "Wait until the parcels are collected and the holds have ended, or keep the size class.",
    retry: "no",
    metadata: { site_id: "the site", size_class_id: "the size class that is in use", subject: "the site" },
  },
  ACT_NOT_SERVED: {
    number: 86,
    code: Code.Unimplemented,
    meaning: "No credential is issued for that act.",
    remedy: "Ask for DEPOSIT or COLLECT.",
    retry: "no",
    metadata: {},
  },
  SEQUENCE_GAP: {
    number: 87,
    code: Code.FailedPrecondition,
    meaning: "A report is missing before the first one sent.",
    remedy: "Send the reports from the number that `expected` names.",
    retry: "no",
    metadata: { expected: "the number that must come next", received: "the number that came", subject: "the number that came" },
  },
  CONFLICT: {
    number: 88,
    code: Code.Aborted,
    meaning: "Another change came in between, again and again.",
    remedy: "Send the same request again.",
    retry: "yes",
    metadata: { reservation_id: "the reservation that kept changing", site_id: "the site that kept changing" },
  },
  SITE_REQUIREMENT_UNMET: {
    number: 89,
    code: Code.FailedPrecondition,
    meaning: "The site that was named is not as the request requires.",
    remedy: "Name another site, ask for the nearest one that is, or require less.",
    retry: "no",
    metadata: {
      site_id: "the site",
      requirement: "what it does not meet: a PassedOverReason without its prefix, e.g. `CLOSED`",
      subject: "the site",
    },
  },
  PARCEL_REQUIREMENT_UNMET: {
    number: 90,
    code: Code.FailedPrecondition,
    meaning: "The site that was named lacks what the parcel needs.",
    remedy: "Name another site, or ask for the nearest one that offers it.",
    retry: "no",
    metadata: {
      site_id: "the site",
      requirement: "the first that it does not meet: a ParcelRequirement without its prefix, e.g. `AGE_CHECK`",
      subject: "the site",
    },
  },
  AVAILABILITY_UNKNOWN: {
    number: 91,
    code: Code.FailedPrecondition,
    meaning: "What is free at the site that was named was reported too long ago.",
    remedy:
      "Name another site, ask for the nearest one, or set `include_unknown`; the same request may succeed once the site has reported.",
    retry: "no",
    metadata: { site_id: "the site", subject: "the site" },
  },
} as const satisfies Record<string, CatalogueEntry>;

/** The reason of an error: a constant of the catalogue. */
export type Reason = keyof typeof catalogue;

/** The `domain` of the ErrorInfo that carries a {@link Reason}. */
export const errorDomain = "petak.v1";
