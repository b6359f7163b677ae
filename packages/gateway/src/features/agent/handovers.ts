import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type CourierKey, courierKeyIdIn, isHandoverProof, judgeHandoverSignatures, statementIn } from "@petak/credential";
import { actToProve } from "@petak/lifecycle";
import {
  Act,
  type DeviceEvent,
  DoubtReason,
  type HandoverSchema,
  type ModeName,
  type Party,
  PartyKind,
  ProofKind,
  type Reservation,
  type SignedReport,
} from "@petak/protocol";
import type { AgentCaller, KeyDirectory } from "../../identity/index.ts";

export interface HandoverDependencies {
  keys: Pick<KeyDirectory, "findKey">;
}

/** What a HANDOVER_SIGNED report says of its list, and whether both sides have signed it. */
export async function handoverOf(
  { keys }: HandoverDependencies,
  { handover: signatures }: DeviceEvent,
  { publicKey: siteKey }: SignedReport,
  { siteId, mode }: AgentCaller,
): Promise<MessageInitShape<typeof HandoverSchema>> {
  const courierKeys = await courierKeysFor(keys, signatures, mode);
  const judged = await judgeHandoverSignatures(signatures, { siteId, siteKey, courierKeys });
  const said = statementIn(signatures);
  return {
    ...(said && {
      listHash: said.listHash,
      isOutgoing: said.direction === "OUT",
      courierId: said.courierId,
      signedAt: timestampFromMs(said.atMs),
      ok: said.counts.OK,
      damaged: said.counts.DAMAGED,
      refused: said.counts.REFUSED,
    }),
    signatures,
    fault: typeof judged === "string" ? judged : "",
  };
}

/**
 * The registered key of the courier on whose word a report's hand-over list rests. Undefined: the list does not show that the parcel was handed over by or to
 * the courier of its reservation.
 */
export async function provenCourierKey(
  { keys }: HandoverDependencies,
  event: DeviceEvent,
  reservation: Reservation,
  { publicKey: siteKey }: SignedReport,
  { siteId, mode }: AgentCaller,
): Promise<Uint8Array | undefined> {
  const { proofKind, handover, credentialHash: listHash } = event;
  const side = sideOf(event, reservation);
  if (proofKind !== ProofKind.HANDOVER_LIST || side?.party?.kind !== PartyKind.PARTICIPANT) return undefined;
  const courierKeys = await courierKeysFor(keys, handover, mode);
  const parcel = { reservationId: reservation.reservationId, direction: side.direction, courierId: side.party.participantId, listHash };
  return (await isHandoverProof(handover, { siteId, siteKey, courierKeys, ...parcel })) ? courierKeys[0]?.publicKey : undefined;
}

/** Why a report by a hand-over list is not believed. @param courierPublicKey see {@link provenCourierKey} */
export function whyNotHandedOver(event: DeviceEvent, courierPublicKey: Uint8Array | undefined): DoubtReason | undefined {
  const isBelieved = actToProve(event) === undefined || courierPublicKey !== undefined;
  return isBelieved ? undefined : DoubtReason.CREDENTIAL_NOT_ISSUED;
}

/** Who of a reservation signs the list of such a report, and its direction. */
function sideOf(
  event: DeviceEvent,
  { depositor, collector }: Reservation,
): { party: Party | undefined; direction: "IN" | "OUT" } | undefined {
  const act = actToProve(event);
  if (act === Act.DEPOSIT) return { party: depositor, direction: "IN" };
  if (act === Act.COLLECT) return { party: collector, direction: "OUT" };
  return act === Act.RECALL ? { party: depositor, direction: "OUT" } : undefined;
}

/** The registered key that certified the driver, if it was in force when the site signed: a participant's own key in the same network. */
async function courierKeysFor(keys: Pick<KeyDirectory, "findKey">, handover: string, mode: ModeName): Promise<CourierKey[]> {
  const [keyId, atMs] = [courierKeyIdIn(handover), statementIn(handover)?.atMs];
  const key = keyId === "" ? undefined : await keys.findKey(keyId);
  if (key === undefined || atMs === undefined || key.mode !== mode || (key.siteId ?? "") !== "") return [];
  if (key.revokedAtMs !== undefined && key.revokedAtMs <= atMs) return [];
  return [{ courierId: key.participantId, keyId, publicKey: key.publicKey }];
}
