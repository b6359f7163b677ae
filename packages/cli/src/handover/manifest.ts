import { readFile } from "node:fs/promises";
import { type HandoverDirection, type HandoverParcel, inHandoverOrder } from "@petak/credential";
import { PartyKind, type Reservation, ReservationState } from "@petak/protocol";
import { CliFailure } from "../failure.ts";
import { pagesOf } from "../pages.ts";
import type { Session } from "../session.ts";

/** What a courier's driver is to hand over at a site. */
export interface Manifest {
  readonly siteId: string;
  readonly courierId: string;
  readonly direction: HandoverDirection;
  /** Each once, in the order of a list. */
  readonly parcels: readonly HandoverParcel[];
}

const pageSize = 500;

/** Asks the gateway which parcels of the caller are to be handed over at a site. */
export async function fetchManifest(session: Session, siteId: string, direction: HandoverDirection): Promise<Manifest> {
  const { client, keyFile } = await session.connect();
  const courierId = keyFile.participant_id;
  const states = [direction === "IN" ? ReservationState.CONFIRMED : ReservationState.DEPOSITED];
  const parcels: HandoverParcel[] = [];
  for await (const { reservations } of pagesOf((cursor) => client.reservations.listReservations({ siteId, states, cursor, pageSize }))) {
    const handedOver = reservations.filter((reservation) => isHandedOver(reservation, courierId, direction));
    parcels.push(...handedOver.map(({ reservationId }) => ({ reservationId, labelCode: "" })));
  }
  return { siteId, courierId, direction, parcels: inHandoverOrder(parcels) };
}

/** IN: what the courier deposits. OUT: what it collects, and its overdue parcels. */
function isHandedOver({ depositor, collector, overdueSince }: Reservation, courierId: string, direction: HandoverDirection): boolean {
  const isCourier = (party: Reservation["depositor"]) => party?.kind === PartyKind.PARTICIPANT && party.participantId === courierId;
  if (direction === "IN") return isCourier(depositor);
  return isCourier(collector) || (isCourier(depositor) && overdueSince !== undefined);
}

/** A manifest as its file. */
export function manifestText({ siteId, courierId, direction, parcels }: Manifest): string {
  const members = parcels.map(({ reservationId, labelCode }) => ({ reservation_id: reservationId, label_code: labelCode }));
  return `${JSON.stringify({ version: 1, site_id: siteId, courier_id: courierId, direction, parcels: members }, undefined, 2)}\n`;
}

/** Reads the file of a manifest. */
export async function readManifest({ resolve }: Session, file: string): Promise<Manifest> {
  try {
    const { site_id: siteId, courier_id: courierId, direction, parcels } = JSON.parse(await readFile(resolve(file), "utf8")) as Written;
    if (![siteId, courierId, direction].every((member) => typeof member === "string")) throw new Error("a member is missing");
    return { siteId, courierId, direction, parcels: inHandoverOrder(parcels.map(readParcel)) };
  } catch (error) {
    throw new CliFailure(`${file} is no manifest of \`petak courier manifest\`: ${(error as Error).message}.`, {
      reason: "manifest",
      cause: error,
    });
  }
}

interface Written {
  site_id: string;
  courier_id: string;
  direction: HandoverDirection;
  parcels: { reservation_id?: string; label_code?: string }[];
}

function readParcel({ reservation_id = "", label_code = "" }: Written["parcels"][number]): HandoverParcel {
  if ((reservation_id === "") === (label_code === "")) throw new Error("a parcel has a reservation_id or a label_code");
  return { reservationId: reservation_id, labelCode: label_code };
}
