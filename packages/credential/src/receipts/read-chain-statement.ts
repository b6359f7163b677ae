import type { ChainStatement, GetCustodyChainResponse } from "@petak/protocol";
import type { IssuerKeyPeriod } from "../keys/issuer-key-set.ts";
import type { Complain } from "./chain-link.ts";
import { type ChainStatementClaims, chainStatementType, chainStatementVersion } from "./chain-statement.ts";
import { isSignedByIssuer } from "./find-signer.ts";
import { readSigned, type SignedForm } from "./read-signed.ts";

const form: SignedForm<ChainStatementClaims> = {
  type: chainStatementType,
  version: chainStatementVersion,
  members: {
    version: "count",
    as_of_ms: "count",
    reservation_id: "text",
    state: "text",
    revision: "count",
    receipts: "count",
    last_receipt: "text",
    events: "count",
    first_event: "count",
    events_hash: "text",
  },
};

/** What a chain's statement says, or undefined where there is none, or after a complaint where it is none of this chain that an issuer signed. */
export async function readChainStatement(
  { reservation, statement }: GetCustodyChainResponse,
  issuerKeys: readonly IssuerKeyPeriod[],
  complain: Complain,
): Promise<ChainStatementClaims | undefined> {
  if (statement === undefined) return undefined;
  const claims = await signedClaims(statement, issuerKeys, complain);
  if (claims === undefined || claims.reservation_id === reservation?.reservationId) return claims;
  const whose = `is of the reservation ${claims.reservation_id}, and this is the chain of ${reservation?.reservationId ?? "nobody"}`;
  complain("OTHER_CHAIN", `the statement ${whose}`);
  return undefined;
}

async function signedClaims(
  { jws }: ChainStatement,
  issuerKeys: readonly IssuerKeyPeriod[],
  complain: Complain,
): Promise<ChainStatementClaims | undefined> {
  const read = readSigned(jws, form);
  if (typeof read === "string") {
    complain("MALFORMED", `the statement is none: ${read}`);
    return undefined;
  }
  const isSigned = await isSignedByIssuer({ read, place: "the statement", atMs: read.claims.as_of_ms }, issuerKeys, complain);
  return isSigned ? read.claims : undefined;
}
