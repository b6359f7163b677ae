import { randomUUID } from "node:crypto";
import { ConnectError } from "@connectrpc/connect";
import { Act, DeviceEventType, fromConnectError, Mode, ProofKind, ReservationState, Role } from "@petak/protocol";
import { makeSite, type SiteFacts } from "@petak/testkit";
import type { ProcessNetwork } from "@petak/testkit/network";
import { signedReport } from "../testing/good-requests.ts";
import { origin, parcel } from "../testing/world.ts";

/** A courier, a checkout and an agent that use the gateway as anybody should, each from connections of its own. */
export interface Neighbours {
  /** The courier's key, which a hostile participant can read in a token that it has seen. */
  readonly courier: { readonly participantId: string; readonly keyId: string };
  /**
   * Sends one parcel: found by the checkout, reserved, confirmed, deposited at the agent's site and collected there.
   *
   * @returns what was refused of it, with the reasons; empty: nothing
   */
  live(): Promise<string[]>;
}

/** The page of the checkout. */
const shop = "https://shop.example";

/** Lets the neighbours join the live network or the test network of a gateway. */
export async function joinNeighbours(network: ProcessNetwork, mode: Mode): Promise<Neighbours> {
  const alone = { retry: false } as const;
  const operator = await network.join("Good operator", [Role.OPERATOR], mode, alone);
  const courier = await network.join("Good courier", [Role.COURIER], mode, alone);
  const classes: SiteFacts["classes"] = [["M", 400, 200, 500, 20_000, 200]];
  const siteId = await network.putSite(operator, makeSite({ ...origin, ref: "good", classes, isTest: mode === Mode.TEST }));
  const { publishableKey } = await operator.client.participants.createPublishableKey({
    requestId: randomUUID(),
    mode,
    origins: [shop],
    requestsPerSecond: 1000,
  });
  const agentSigner = await network.agentSigner(operator, siteId);
  const agent = network.clientFor(agentSigner, alone).agents;
  const { reservations } = courier.client;
  const operatorIds = [operator.participantId];
  let sequence = 0n;

  async function report(type: DeviceEventType, reservationId: string, credentialHash: string): Promise<void> {
    sequence += 1n;
    const event = await signedReport(agentSigner, siteId, {
      sequence,
      deviceEventId: randomUUID(),
      type,
      reservationId,
      proofKind: ProofKind.ACCESS_TOKEN,
      credentialHash,
      occurredAt: now(),
    });
    await agent.reportEvents({ siteId, events: [event] });
  }

  /** Asks as a page in a browser does: once more if the connection, which was kept for the next request, was closed at the moment of this one. */
  async function find(): Promise<void> {
    const ask = () =>
      fetch(`${network.baseUrl}/petak.v1.DirectoryService/FindNearest`, {
        method: "POST",
        headers: { "content-type": "application/json", origin: shop, authorization: `Bearer ${publishableKey?.publishableKey}` },
        body: JSON.stringify({ origin, parcel, operatorIds }),
      });
    const response = await ask().catch(ask);
    const found = (await response.json()) as { options?: unknown[] };
    if (found.options === undefined) throw new Error(`the checkout is refused: ${JSON.stringify(found)}`);
  }

  async function sendParcel(): Promise<void> {
    await find();
    const { reservation } = await reservations.reserve({
      requestId: randomUUID(),
      place: { case: "nearest", value: { origin, operatorIds } },
      parcel,
    });
    const reservationId = reservation?.reservationId ?? "";
    await reservations.confirm({ requestId: randomUUID(), reservationId });
    const toDeposit = await reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.DEPOSIT });
    await agent.sync({ siteId });
    await report(DeviceEventType.PARCEL_DEPOSITED, reservationId, toDeposit.credentialHash);
    const toCollect = await reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.COLLECT });
    await report(DeviceEventType.PARCEL_COLLECTED, reservationId, toCollect.credentialHash);
    const { reservation: last } = await reservations.getReservation({ reservationId });
    if (last?.state !== ReservationState.COLLECTED) throw new Error(`the parcel is ${last?.state}, not collected`);
  }

  return {
    courier: { participantId: courier.participantId, keyId: courier.key.keyId },
    async live() {
      try {
        await sendParcel();
        return [];
      } catch (error) {
        const known = fromConnectError(ConnectError.from(error));
        return [known === undefined ? String(error) : `${known.reason}: ${known.message}`];
      }
    },
  };
}

function now(): { seconds: bigint; nanos: number } {
  return { seconds: BigInt(Math.floor(Date.now() / 1000)), nanos: 0 };
}
