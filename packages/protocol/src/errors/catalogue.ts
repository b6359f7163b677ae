import { Code } from "@connectrpc/connect";
import type { ErrorReason } from "../gen/petak/v1/error_reason_pb.ts";

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
}

/** Every reason for which a gateway refuses a request. docs/errors.md is printed from it. */
export const catalogue = {
  INVALID_FIELD: {
    number: 1,
    code: Code.InvalidArgument,
    meaning: "A field breaks its rule.",
    remedy: "Correct the fields that the BadRequest detail names; it says the rule of each.",
  },
  MALFORMED_MESSAGE: {
    number: 2,
    code: Code.InvalidArgument,
    meaning: "The body is no message of the method's type.",
    remedy: "Send the message that the protocol defines for the method, in the encoding that the content type says.",
  },
  MESSAGE_TOO_LARGE: {
    number: 3,
    code: Code.ResourceExhausted,
    meaning: "The message is longer than the gateway reads.",
    remedy: "Send less at once; `limit_bytes` says how much is read.",
  },
  METHOD_NOT_FOUND: {
    number: 4,
    code: Code.Unimplemented,
    meaning: "The gateway has no such method.",
    remedy: "Check service and method; server reflection lists them.",
  },
  ENCODING_NOT_SUPPORTED: {
    number: 5,
    code: Code.Unimplemented,
    meaning: "The gateway does not speak that content type or compression.",
    remedy: "Use gRPC, gRPC-Web or Connect with JSON or binary messages, uncompressed or with gzip.",
  },
  DEADLINE_EXCEEDED: {
    number: 6,
    code: Code.DeadlineExceeded,
    meaning: "The deadline passed first.",
    remedy: "Send the same request again, with the same request_id where it has one.",
  },
  CANCELED: {
    number: 7,
    code: Code.Canceled,
    meaning: "The caller went away.",
    remedy: "Send the same request again if the answer is still wanted.",
  },
  OVERLOADED: {
    number: 8,
    code: Code.ResourceExhausted,
    meaning: "The gateway has as many calls in hand as it takes.",
    remedy: "Wait as long as RetryInfo says, then send the same request again.",
  },
  SHUTTING_DOWN: {
    number: 9,
    code: Code.Unavailable,
    meaning: "The gateway is stopping.",
    remedy: "Send the same request again; another gateway or the next start answers it.",
  },
  STORE_UNAVAILABLE: {
    number: 10,
    code: Code.Unavailable,
    meaning: "The gateway cannot reach its records.",
    remedy: "Wait as long as RetryInfo says, then send the same request again.",
  },
  INTERNAL: {
    number: 11,
    code: Code.Internal,
    meaning: "A defect of the gateway.",
    remedy: "Report it with the `x-request-id` of the answer.",
  },
  CREDENTIALS_MISSING: {
    number: 20,
    code: Code.Unauthenticated,
    meaning: "No credentials came with the request.",
    remedy: "Send `Authorization: Bearer` with a signed request token or a publishable key.",
  },
  CREDENTIALS_MALFORMED: {
    number: 21,
    code: Code.Unauthenticated,
    meaning: "The Authorization header is neither a request token nor a publishable key.",
    remedy: "Send `Authorization: Bearer` with a signed request token or a publishable key.",
  },
  TOKEN_ALGORITHM_WRONG: {
    number: 22,
    code: Code.Unauthenticated,
    meaning: "The token is not signed with Ed25519.",
    remedy: 'Sign with the registered Ed25519 key and say `"alg": "EdDSA"`.',
  },
  TOKEN_TYPE_WRONG: {
    number: 23,
    code: Code.Unauthenticated,
    meaning: "The token is of another type.",
    remedy: 'Say `"typ": "petak-request+jwt"` in the header.',
  },
  TOKEN_AUDIENCE_WRONG: {
    number: 24,
    code: Code.Unauthenticated,
    meaning: "The token is meant for another gateway.",
    remedy: "Put the audience that `expected` names in `aud`.",
  },
  TOKEN_EXPIRED: {
    number: 25,
    code: Code.Unauthenticated,
    meaning: "The token has expired.",
    remedy: "Sign a new token; set the caller's clock if a fresh token is refused.",
  },
  TOKEN_REPLAYED_AFTER_EXPIRY: {
    number: 26,
    code: Code.Unauthenticated,
    meaning: "The token was used here while it was good, and came again after it expired.",
    remedy: "Sign a new token before the old one expires; if you did not send this one, revoke the key.",
  },
  TOKEN_NOT_YET_VALID: {
    number: 27,
    code: Code.Unauthenticated,
    meaning: "The token is not good yet: the caller's clock is ahead.",
    remedy: "Set the caller's clock.",
  },
  TOKEN_LIFETIME_TOO_LONG: {
    number: 28,
    code: Code.Unauthenticated,
    meaning: "The token would be good for longer than 10 minutes.",
    remedy: "Sign tokens with `exp` at most 600 s after `iat`.",
  },
  TOKEN_SIGNATURE_WRONG: {
    number: 29,
    code: Code.Unauthenticated,
    meaning: "The signature does not match the key.",
    remedy: "Sign with the private half of the key that `kid` names.",
  },
  TOKEN_CLAIMS_INVALID: {
    number: 30,
    code: Code.Unauthenticated,
    meaning: "The token lacks a claim or has one of the wrong kind.",
    remedy: "Send the claims iss, aud, iat and exp, and the header fields alg, typ and kid.",
  },
  KEY_UNKNOWN: {
    number: 31,
    code: Code.Unauthenticated,
    meaning: "No such key is registered.",
    remedy: "Register the public key, or name a registered one in `kid`.",
  },
  KEY_REVOKED: {
    number: 32,
    code: Code.Unauthenticated,
    meaning: "The key was revoked.",
    remedy: "Use another registered key.",
  },
  KEY_ISSUER_MISMATCH: {
    number: 33,
    code: Code.Unauthenticated,
    meaning: "The key belongs to another participant than the token says.",
    remedy: "Put the key's own participant in `iss`.",
  },
  ROLE_REQUIRED: {
    number: 40,
    code: Code.PermissionDenied,
    meaning: "The participant has not the role that the call needs.",
    remedy: "Ask the gateway's operator for the role, or let a participant call that has it.",
  },
  PUBLISHABLE_KEY_NOT_ALLOWED: {
    number: 41,
    code: Code.PermissionDenied,
    meaning: "A publishable key reads the directory and nothing else.",
    remedy: "Make this call from a server, with a signed request token.",
  },
  ORIGIN_NOT_ALLOWED: {
    number: 42,
    code: Code.PermissionDenied,
    meaning: "The publishable key is tied to other web origins.",
    remedy: "Make a publishable key for this origin.",
  },
  AGENT_KEY_REQUIRED: {
    number: 43,
    code: Code.PermissionDenied,
    meaning: "The call is for a site's agent, with its own key.",
    remedy: "Register a key for the agent with its site_id and sign with that.",
  },
  AGENT_KEY_NOT_ALLOWED: {
    number: 44,
    code: Code.PermissionDenied,
    meaning: "An agent's key makes an agent's calls and nothing else.",
    remedy: "Sign with a key of the participant itself.",
  },
  AGENT_SITE_MISMATCH: {
    number: 45,
    code: Code.PermissionDenied,
    meaning: "The agent's key is registered for another site.",
    remedy: "Name the site that the key was registered for.",
  },
  MODE_MISMATCH: {
    number: 46,
    code: Code.PermissionDenied,
    meaning: "A test key touches the live network, or a live key the test network.",
    remedy: "Use a key of the other mode.",
  },
  RATE_LIMITED: {
    number: 47,
    code: Code.ResourceExhausted,
    meaning: "More requests than the key's rate.",
    remedy: "Wait as long as RetryInfo says, then send the same request again.",
  },
  SITE_NOT_FOUND: {
    number: 60,
    code: Code.NotFound,
    meaning: "No such site, or none that the caller may see.",
    remedy: "Check the id, and that the key is of the site's network.",
  },
  RESERVATION_NOT_FOUND: {
    number: 61,
    code: Code.NotFound,
    meaning: "No such reservation, or none to which the caller is a party.",
    remedy: "Check the id, and that the key is of the participant that made the reservation.",
  },
  PARTICIPANT_NOT_FOUND: {
    number: 62,
    code: Code.NotFound,
    meaning: "No such participant, or none that the caller may see.",
    remedy: "Check the id; only ADMIN sees others.",
  },
  KEY_NOT_FOUND: {
    number: 63,
    code: Code.NotFound,
    meaning: "No such key, or none that the caller may see.",
    remedy: "Check the id; only ADMIN sees others' keys.",
  },
  REQUEST_ID_REUSED: {
    number: 64,
    code: Code.AlreadyExists,
    meaning: "The request id was used with another body.",
    remedy: "Make a new UUID for a new request; send the same body to retry the old one.",
  },
  CURSOR_INVALID: {
    number: 65,
    code: Code.InvalidArgument,
    meaning: "The cursor is not one that this gateway made.",
    remedy: "Send back a cursor as it was received, or none to begin at the oldest event.",
  },
  ILLEGAL_STATE: {
    number: 80,
    code: Code.FailedPrecondition,
    meaning: "The reservation's state does not allow the move.",
    remedy: "Read the reservation: `state` says where it stands, `wanted` what was asked for; docs/protocol.md has the moves.",
  },
  NO_PLACE_FREE: {
    number: 81,
    code: Code.ResourceExhausted,
    meaning: "No place that fits is free where it was asked for.",
    remedy: "Widen the radius or the filters, name another site, or try again later.",
  },
  PARCEL_DOES_NOT_FIT: {
    number: 82,
    code: Code.FailedPrecondition,
    meaning: "The parcel fits no size class of the site.",
    remedy: "Check the parcel's millimetres and grams, or name another site.",
  },
  SITE_NOT_ACCEPTING: {
    number: 83,
    code: Code.FailedPrecondition,
    meaning: "The site does not take reservations now, or not for this purpose.",
    remedy: "Name another site.",
  },
  SITE_REGION_CHANGED: {
    number: 84,
    code: Code.FailedPrecondition,
    meaning: "The site's new place lies in another region.",
    remedy: "Retire the site and create another under a new reference.",
  },
  CAPACITY_IN_USE: {
    number: 85,
    code: Code.FailedPrecondition,
    meaning: "The change takes away size classes or places that are in use.",
    remedy: "Wait until the parcels are collected and the holds have ended, or keep the size class.",
  },
  ACT_NOT_SERVED: {
    number: 86,
    code: Code.Unimplemented,
    meaning: "No credential is issued for that act.",
    remedy: "Ask for DEPOSIT or COLLECT.",
  },
  SEQUENCE_GAP: {
    number: 87,
    code: Code.FailedPrecondition,
    meaning: "A report is missing before the first one sent.",
    remedy: "Send the reports from the number that `expected` names.",
  },
  CONFLICT: {
    number: 88,
    code: Code.Aborted,
    meaning: "Another change came in between, again and again.",
    remedy: "Send the same request again.",
  },
} as const satisfies Record<string, CatalogueEntry>;

/** The reason of an error: a constant of the catalogue. */
export type Reason = keyof typeof catalogue;

/** The `domain` of the ErrorInfo that carries a {@link Reason}. */
export const errorDomain = "petak.v1";
