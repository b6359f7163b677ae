import { createHash } from "node:crypto";
import { reasonOf } from "@petak/client";
import { type IssueCredentialResponse, type Reservation, ReservationState, type Site } from "@petak/protocol";
import type { Product } from "./catalogue.ts";
import type { Places } from "./places.ts";

/** An order, with the reservation of the place where it is collected. */
export interface Order {
  /** A UUID that nobody can guess: who knows it sees the order. A real shop asks its customers to sign in. */
  readonly id: string;
  readonly product: Product;
  /** The buyer's name. It stays in the shop: the gateway needs no personal data, and gets none. */
  readonly buyer: string;
  reservation: Reservation;
  site: Site;
  isPaid: boolean;
  /** The buyer has asked for it. */
  isCancelled: boolean;
  /** The credential to collect, once asked for. */
  code: Promise<IssueCredentialResponse> | undefined;
}

/** What a checkout's form sent. */
export interface PlacedOrder {
  /** Of the form: the same form is the same order, however often it is sent. */
  formId: string;
  product: Product;
  buyer: string;
  siteId: string;
  /** The signed choice. Empty: the page had none, e.g. since it ran no scripts. */
  choice: string;
}

/** Refused: all orders that are kept are still in progress. */
export class OrderBookFull extends Error {
  override readonly name = "OrderBookFull";
}

const over: ReadonlySet<ReservationState> = new Set([
  ReservationState.COLLECTED,
  ReservationState.CANCELLED,
  ReservationState.EXPIRED,
  ReservationState.NO_SHOW,
  ReservationState.RECALLED,
]);

/** Whether nothing more happens to an order, unless it gets another place. */
export const isOver = ({ reservation }: Order): boolean => over.has(reservation.state);

/** Whether an order has lost its place without the buyer's doing: the hold ended, or the operator gave the place up. */
export function hasLostPlace({ reservation: { state }, isCancelled }: Order): boolean {
  const { EXPIRED, NO_SHOW, CANCELLED } = ReservationState;
  return state === EXPIRED || state === NO_SHOW || (state === CANCELLED && !isCancelled);
}

/**
 * A UUID made of texts, for `request_id`: a request that is sent twice has the same id, so the gateway answers it with the same reservation and never
 * holds a second place. It is as hard to guess as what it is made of.
 */
function keyOf(...texts: readonly string[]): string {
  const hex = createHash("sha256").update(JSON.stringify(texts)).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
}

/** The orders of a shop, in memory. */
export type OrderBook = ReturnType<typeof openOrderBook>;

/** Opens an empty book. @param maxOrders how many orders it keeps */
export function openOrderBook(places: Places, maxOrders: number) {
  const orders = new Map<string, Order>();

  /** Does something, unless the order's state does not allow it any more: the order then shows what became of it. */
  async function ifAllowed(order: Order, change: () => Promise<unknown>): Promise<void> {
    try {
      await change();
    } catch (error) {
      if (reasonOf(error) !== "ILLEGAL_STATE") throw error;
      await places.refresh(order);
    }
  }

  /** Forgets the oldest order that is over if there is no room for another one. */
  function makeRoom(): void {
    if (orders.size < maxOrders) return;
    const oldest = [...orders.values()].find(isOver);
    if (oldest === undefined) throw new OrderBookFull(`${orders.size} orders are in progress, and no more than ${maxOrders} are kept.`);
    orders.delete(oldest.id);
  }

  return {
    get: (id: string): Order | undefined => orders.get(id),
    all: (): Iterable<Order> => orders.values(),

    /** Holds a place for an order. It is kept once it is paid. */
    async place({ formId, product, buyer, siteId, choice }: PlacedOrder): Promise<Order> {
      const id = keyOf(formId, product.id, buyer, siteId);
      const known = orders.get(id);
      if (known !== undefined) return known;
      makeRoom();
      const partnerReference = `order-${id.slice(0, 8)}`;
      const held = await places.reserve({ requestId: id, siteId, parcel: product.parcel, partnerReference, choice });
      // The same form may have come twice at once.
      const order = orders.get(id) ?? { id, product, buyer, isPaid: false, isCancelled: false, code: undefined, ...held };
      orders.set(id, order);
      // The events from before it was here were nobody's.
      await places.refresh(order);
      return order;
    },

    /** Keeps the place. A real shop authorizes the payment before, and captures it after. */
    async pay(order: Order): Promise<void> {
      await ifAllowed(order, async () => {
        await places.confirm(order, keyOf(order.reservation.reservationId, "confirm"));
        order.isPaid = true;
      });
    },

    /** Frees the place. After the deposit that is not possible: the order stays as it is. */
    async cancel(order: Order): Promise<void> {
      // Before, since the event may come first.
      order.isCancelled = true;
      await ifAllowed(order, () => places.cancel(order, keyOf(order.reservation.reservationId, "cancel")));
    },

    /** Takes another place for an order that has lost its own, and keeps it if the order is paid. */
    async moveTo(order: Order, siteId: string): Promise<void> {
      if (!hasLostPlace(order)) return;
      const { reservationId, partnerReference } = order.reservation;
      const requestId = keyOf(reservationId, siteId);
      const held = await places.reserve({ requestId, siteId, parcel: order.product.parcel, partnerReference, choice: "" });
      Object.assign(order, held, { code: undefined, isCancelled: false });
      await places.refresh(order);
      if (order.isPaid) await this.pay(order);
    },
  };
}
