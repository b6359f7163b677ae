import { create } from "@bufbuild/protobuf";
import { type ChainStatement, ChainStatementSchema, type Event, type Reservation, ReservationState } from "@petak/protocol";
import { sha256 } from "#platform/sha256";
import { encodeBase64url } from "../bytes/base64url.ts";
import { signCompact } from "../jws/sign-compact.ts";
import type { IssuerKeyPair } from "../keys/issuer-key.ts";
import { tokenAlgorithm } from "../request-token/request-token.ts";
import { hashesOf } from "./event-text.ts";
import { nameOf } from "./names.ts";

/** The `typ` of a chain's statement. */
export const chainStatementType = "petak-chain";

/** The version of the statements' layout. */
export const chainStatementVersion = 1;

/** Claims of a chain statement, in the order of their members. */
export interface ChainStatementClaims {
  version: number;
  /** The statement covers everything recorded up to this time, in ms. */
  as_of_ms: number;
  reservation_id: string;
  state: string;
  revision: number;
  /** How many receipts there are. */
  receipts: number;
  /** The hash of the last one. Empty where there is none. */
  last_receipt: string;
  /** How many events there are. */
  events: number;
  /** Number of the first listed event, from 1; earlier events are left out. */
  first_event: number;
  /** SHA-256 of the concatenated hashes of the listed events, in base64url. */
  events_hash: string;
}

/** A chain as a gateway read it. */
export interface StandingChain {
  readonly reservation: Reservation;
  /** As they are returned to callers, oldest first. */
  readonly events: readonly Event[];
  /** Number of events before them. */
  readonly earlierCount: number;
  /** A time before the reservation was read, in ms: everything recorded up to then is included. */
  readonly asOfMs: number;
}

/** Signs a statement of a chain. The key must be the one in use at `asOfMs`. */
export async function signChainStatement(
  { reservation, events, earlierCount, asOfMs }: StandingChain,
  { keyId, privateJwk }: Pick<IssuerKeyPair, "keyId" | "privateJwk">,
): Promise<ChainStatement> {
  const eventHashes = await hashesOf(events);
  const claims: ChainStatementClaims = {
    version: chainStatementVersion,
    as_of_ms: asOfMs,
    reservation_id: reservation.reservationId,
    state: nameOf(ReservationState, reservation.state),
    revision: reservation.revision,
    receipts: reservation.chain?.length ?? 0,
    last_receipt: reservation.chain?.lastHash ?? "",
    events: earlierCount + events.length,
    first_event: earlierCount + 1,
    events_hash: await hashOfHashes(eventHashes),
  };
  const jws = await signCompact(privateJwk, { alg: tokenAlgorithm, typ: chainStatementType, kid: keyId }, claims);
  return create(ChainStatementSchema, { jws, eventHashes });
}

/** The claim `events_hash` of concatenated event hashes. */
export async function hashOfHashes(hashes: Uint8Array): Promise<string> {
  return encodeBase64url(await sha256(new Uint8Array(hashes)));
}
