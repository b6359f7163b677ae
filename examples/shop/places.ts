import { randomUUID } from "node:crypto";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { PetakClient } from "@petak/client";
import { Act, CancellationReason, type IssueCredentialResponse, type Reservation, type Site, type SiteOption } from "@petak/protocol";
import type { Product } from "./catalogue.ts";
import type { Order } from "./orders.ts";

export interface PlacesOptions {
  /** A client with the shop's own key. */
  client: PetakClient;
  /** Receives what went wrong in the background. */
  onError: (error: Error) => void;
  /** The clock, in ms. Default `Date.now`. */
  now?: () => number;
}

/** A place to reserve. */
export interface WantedPlace {
  /** The same id never holds a second place. */
  requestId: string;
  siteId: string;
  parcel: Product["parcel"];
  /** Returned in events. It must say nothing of the buyer. */
  partnerReference: string;
  /** The signed choice, which the gateway verifies. Empty: none; it then checks the rest all the same. */
  choice: string;
}

/** Everything that the shop asks of the gateway for an order. Calls throw a ConnectError, whose reason `reasonOf` gives. */
export type Places = ReturnType<typeof createPlaces>;

export function createPlaces({ client, onError, now = Date.now }: PlacesOptions) {
  const { directory, reservations } = client;

  /** Takes what the gateway says of an order's reservation, unless something newer is known. */
  function take(order: Order, reservation: Reservation | undefined): void {
    const known = order.reservation;
    if (reservation?.reservationId !== known.reservationId || reservation.revision < known.revision) return;
    order.reservation = reservation;
  }

  async function issue(order: Order): Promise<IssueCredentialResponse> {
    const { reservationId } = order.reservation;
    try {
      return await reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.COLLECT, withPin: true });
    } catch (error) {
      order.code = undefined;
      throw error;
    }
  }

  /** The token and PIN with which the buyer collects. They are asked for once, and again when they have expired or `code` was deleted. */
  async function collectionCode(order: Order): Promise<IssueCredentialResponse> {
    order.code ??= issue(order);
    const code = await order.code;
    if (code.expiresAt === undefined || timestampMs(code.expiresAt) > now()) return code;
    order.code = issue(order);
    return await order.code;
  }

  return {
    collectionCode,

    /** The nearest places with room for a parcel. */
    async nearest({ latitude, longitude }: { latitude: number; longitude: number }, parcel: Product["parcel"], limit: number) {
      const { options }: { options: SiteOption[] } = await directory.findNearest({ origin: { latitude, longitude }, parcel, limit });
      return options;
    },

    /** Holds a place, for a quarter of an hour. */
    async reserve({ siteId, ...wanted }: WantedPlace): Promise<{ site: Site; reservation: Reservation }> {
      const { site } = await directory.getSite({ siteId });
      const { reservation } = await reservations.reserve({ ...wanted, place: { case: "siteId", value: siteId } });
      if (site === undefined || reservation === undefined) throw new Error("the gateway's response is incomplete");
      return { site, reservation };
    },

    async refresh(order: Order): Promise<void> {
      const { reservationId } = order.reservation;
      take(order, (await reservations.getReservation({ reservationId })).reservation);
    },

    async confirm(order: Order, requestId: string): Promise<void> {
      const { reservationId } = order.reservation;
      take(order, (await reservations.confirm({ requestId, reservationId })).reservation);
      // Early, so that the site knows it before the parcel comes, and opens without the network too. It is shown later.
      collectionCode(order).catch(onError);
    },

    async cancel(order: Order, requestId: string): Promise<void> {
      const { reservationId } = order.reservation;
      const request = { requestId, reservationId, reason: CancellationReason.CONSUMER_REQUEST };
      take(order, (await reservations.cancel(request)).reservation);
    },
  };
}
