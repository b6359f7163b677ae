import { Act, EventType } from "@petak/protocol";
import { decodeBase64url } from "../bytes/base64url.ts";
import { courierKeyIdIn, isHandoverProof } from "../handover/proof.ts";
import { verifyText } from "../keys/verify-text.ts";
import type { ChainLink, ReportFault } from "./chain-link.ts";
import { countersignatureText } from "./countersignature.ts";
import { handOvers } from "./hand-overs.ts";
import { type PresentHolder, verifyHolderPresence } from "./holder-presence.ts";
import { nameOf } from "./names.ts";
import type { ReceiptClaims } from "./receipt-claims.ts";
import { reportText } from "./report-statement.ts";

/** Checks both parties' signatures of each hand-over, under the keys that the receipts contain. */
export async function checkSides(own: readonly ChainLink[], report: ReportFault): Promise<void> {
  for (const link of own) {
    await checkReport(link, report);
    await checkCountersignature(link, own, report);
  }
}

async function checkReport({ number, claims }: ChainLink, report: ReportFault): Promise<void> {
  const about = { link: number, eventId: claims.event_id };
  if (claims.report === null) {
    if (claims.actor?.kind === "AGENT") report("REPORT_MISSING", `link ${number} has no signature of the site's agent`, about);
    return;
  }
  const { public_key, signature } = claims.report;
  if (!(await isGood(public_key, signature, reportTextOf(claims)))) {
    report("REPORT_SIGNATURE", `link ${number} has an invalid signature of the agent's key ${claims.proof?.agent_key_id}`, about);
  }
  if (claims.proof?.presence !== undefined && !(await verifyHolderPresence(claims.proof.presence, holderOf(claims)))) {
    report("PRESENCE", `link ${number} does not show that the holder of the token's key was there, as it says`, about);
  }
  if (claims.proof?.kind === "HANDOVER_LIST" && !(await isHandedOver(claims))) {
    report("HANDOVER", `link ${number} does not show that courier and site signed a list with the parcel, as it says`, about);
  }
}

/** Whether the proof of a receipt shows a list with its parcel that the courier's driver and the site's agent signed. */
async function isHandedOver({ proof, report, site_id: siteId, reservation_id: reservationId, ...claims }: ReceiptClaims): Promise<boolean> {
  const isIncoming = claims.act === "DEPOSITED";
  const courierId = (isIncoming ? claims.given_by : claims.received_by)?.participant_id ?? "";
  const { handover = "", courier_public_key = "", credential_hash: listHash = "" } = proof ?? {};
  const [siteKey, publicKey] = [decodeBase64url(report?.public_key ?? ""), decodeBase64url(courier_public_key)];
  if (siteKey === undefined || publicKey === undefined) return false;
  const courierKeys = [{ courierId, keyId: courierKeyIdIn(handover), publicKey }];
  const direction = isIncoming ? "IN" : "OUT";
  return await isHandoverProof(handover, { siteId, siteKey, courierKeys, reservationId, direction, courierId, listHash });
}

/** The holder whose presence a receipt claims. */
function holderOf({ proof, report, site_id: siteId, reservation_id: reservationId }: ReceiptClaims): PresentHolder {
  const act = Object.entries(Act).find(([name]) => name === report?.act)?.[1] as Act | undefined;
  const { credential_hash = "", compartment_id = "" } = proof ?? {};
  return {
    siteId,
    reservationId,
    act: act ?? Act.UNSPECIFIED,
    delegated: report?.delegated ?? false,
    credentialHash: credential_hash,
    compartmentId: compartment_id,
  };
}

/** Rebuilds the text that the agent signed from the receipt. */
function reportTextOf(claims: ReceiptClaims): string {
  const { report, proof } = claims;
  const event = handOvers.find(({ act }) => act === claims.act)?.event ?? EventType.UNSPECIFIED;
  return reportText(proof?.agent_key_id ?? "", {
    version: 1,
    site_id: claims.site_id,
    sequence: proof?.device_sequence ?? 0,
    device_event_id: report?.device_event_id ?? "",
    // The report of a hand-over has the type name of its event.
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
    ...(proof?.presence !== undefined && { presence: proof.presence }),
    ...(report?.previous !== undefined && { previous: report.previous }),
    ...(report?.checks !== undefined && { checks: report.checks }),
    ...(report?.cash !== undefined && { cash: report.cash }),
    ...(proof?.clerk_id !== undefined && { clerk_id: proof.clerk_id }),
    ...(proof?.handover !== undefined && { handover: proof.handover }),
  });
}

async function checkCountersignature({ number, claims }: ChainLink, own: readonly ChainLink[], report: ReportFault): Promise<void> {
  const { countersignature, actor } = claims;
  if (countersignature === null) return;
  const about = { link: number, eventId: claims.event_id };
  const signed = own.find((link) => link.number === countersignature.number);
  const participantId = actor?.participant_id ?? "";
  const parties = [signed?.claims.given_by, signed?.claims.received_by];
  // A missing or changed link has been reported already.
  if (signed !== undefined && signed.hash !== countersignature.receipt) {
    report("COUNTERSIGNATURE", `link ${number} countersigns link ${signed.number} with another hash`, about);
  }
  if (signed !== undefined && !parties.some((party) => party?.kind === "PARTICIPANT" && party.participant_id === participantId)) {
    report(
      "COUNTERSIGNATURE",
      `link ${number} has a countersignature of ${participantId}, who is not a party to link ${signed.number}`,
      about,
    );
  }
  const text = countersignatureText({ keyId: countersignature.key_id, participantId, receiptHash: countersignature.receipt });
  if (!(await isGood(countersignature.public_key, countersignature.signature, text))) {
    report("COUNTERSIGNATURE", `link ${number} has an invalid countersignature of the key ${countersignature.key_id}`, about);
  }
}

async function isGood(publicKey: string, signature: string, text: string): Promise<boolean> {
  const [keyBytes, signatureBytes] = [decodeBase64url(publicKey), decodeBase64url(signature)];
  return keyBytes !== undefined && signatureBytes !== undefined && (await verifyText(keyBytes, signatureBytes, text));
}
