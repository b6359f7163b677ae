import { EventType } from "@petak/protocol";
import { decodeBase64url } from "../bytes/base64url.ts";
import type { ChainLink, Complain } from "./chain-link.ts";
import { countersignatureText } from "./countersignature.ts";
import { handOvers } from "./hand-overs.ts";
import { nameOf } from "./names.ts";
import type { ReceiptClaims } from "./receipt-claims.ts";
import { reportText } from "./report-statement.ts";
import { verifyText } from "./signed-text.ts";

/** Checks the signatures of both sides of each hand-over: by the keys that the issuer signed for. */
export async function checkSides(own: readonly ChainLink[], complain: Complain): Promise<void> {
  for (const link of own) {
    await checkReport(link, complain);
    await checkCountersignature(link, own, complain);
  }
}

async function checkReport({ number, claims }: ChainLink, complain: Complain): Promise<void> {
  const about = { link: number, eventId: claims.event_id };
  if (claims.report === null) {
    if (claims.actor?.kind === "AGENT") complain("REPORT_MISSING", `link ${number} has no signature of the site's agent`, about);
    return;
  }
  const { public_key, signature } = claims.report;
  if (!(await isGood(public_key, signature, reportTextOf(claims)))) {
    complain("REPORT_SIGNATURE", `link ${number} has a signature of the agent's key ${claims.proof?.agent_key_id} that is not good`, about);
  }
}

/** What the agent signed, from what the receipt says. */
function reportTextOf(claims: ReceiptClaims): string {
  const { report, proof } = claims;
  const event = handOvers.find(({ act }) => act === claims.act)?.event ?? EventType.UNSPECIFIED;
  return reportText(proof?.agent_key_id ?? "", {
    version: 1,
    site_id: claims.site_id,
    sequence: proof?.device_sequence ?? 0,
    device_event_id: report?.device_event_id ?? "",
    // Reports of hand-overs have the names of their events.
    type: nameOf(EventType, event),
    occurred_at_ms: claims.occurred_at_ms,
    offline: proof?.offline ?? false,
    reservation_id: claims.reservation_id,
    compartment_id: proof?.compartment_id ?? "",
    proof_kind: proof?.kind ?? "",
    credential_hash: proof?.credential_hash ?? "",
    refusal: "",
    act: report?.act ?? "",
    delegated: report?.delegated ?? false,
    bundle_id: report?.bundle_id ?? "",
  });
}

async function checkCountersignature({ number, claims }: ChainLink, own: readonly ChainLink[], complain: Complain): Promise<void> {
  const { countersignature, actor } = claims;
  if (countersignature === null) return;
  const about = { link: number, eventId: claims.event_id };
  const signed = own.find((link) => link.number === countersignature.number);
  const participantId = actor?.participant_id ?? "";
  const parties = [signed?.claims.given_by, signed?.claims.received_by];
  // Of one that is missing or was changed, that was said.
  if (signed !== undefined && signed.hash !== countersignature.receipt) {
    complain("COUNTERSIGNATURE", `link ${number} has a signature under a link ${signed.number} with another hash`, about);
  }
  if (signed !== undefined && !parties.some((party) => party?.kind === "PARTICIPANT" && party.participant_id === participantId)) {
    complain("COUNTERSIGNATURE", `link ${number} has a signature of ${participantId}, which is no party to link ${signed.number}`, about);
  }
  const text = countersignatureText({ keyId: countersignature.key_id, participantId, receiptHash: countersignature.receipt });
  if (!(await isGood(countersignature.public_key, countersignature.signature, text))) {
    complain("COUNTERSIGNATURE", `link ${number} has a signature of the key ${countersignature.key_id} that is not good`, about);
  }
}

async function isGood(publicKey: string, signature: string, text: string): Promise<boolean> {
  const [keyBytes, signatureBytes] = [decodeBase64url(publicKey), decodeBase64url(signature)];
  return keyBytes !== undefined && signatureBytes !== undefined && (await verifyText(keyBytes, signatureBytes, text));
}
