import type { ChainStatement, GetCustodyChainResponse } from "@petak/protocol";
import type { IssuerKeyPeriod } from "../keys/issuer-key-set.ts";
import type { ReportFault } from "./chain-link.ts";
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

/** The claims of a chain's statement. Undefined if there is none, or, after a fault was reported, if it is not an issuer's statement of this chain. */
export async function readChainStatement(
  { reservation, statement }: GetCustodyChainResponse,
  issuerKeys: readonly IssuerKeyPeriod[],
  report: ReportFault,
): Promise<ChainStatementClaims | undefined> {
  if (statement === undefined) return undefined;
  const claims = await signedClaims(statement, issuerKeys, report);
  if (claims === undefined || claims.reservation_id === reservation?.reservationId) return claims;
  const whose = `belongs to reservation ${claims.reservation_id}, but this is the chain of ${reservation?.reservationId ?? "no reservation"}`;
  report("OTHER_CHAIN", `the statement ${whose}`);
  return undefined;
}

async function signedClaims(
  { jws }: ChainStatement,
  issuerKeys: readonly IssuerKeyPeriod[],
  report: ReportFault,
): Promise<ChainStatementClaims | undefined> {
  const read = readSigned(jws, form);
  if (typeof read === "string") {
    report("MALFORMED", `the statement is malformed: ${read}`);
    return undefined;
  }
  const isSigned = await isSignedByIssuer({ read, place: "the statement", atMs: read.claims.as_of_ms }, issuerKeys, report);
  return isSigned ? read.claims : undefined;
}
