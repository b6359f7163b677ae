import { reasonOf } from "@petak/client";
import { ReservationState } from "@petak/protocol";
import type { openAddresses } from "./addresses.ts";
import { products, towns } from "./catalogue.ts";
import { orderPage } from "./order-page.ts";
import { hasLostPlace, type Order, type OrderBook, OrderBookFull } from "./orders.ts";
import { type Checkout, cataloguePage, checkoutPage, type Gateway, problemPage } from "./pages.ts";
import type { Places } from "./places.ts";
import type { Stage } from "./stage.ts";

/** What is sent back. */
export interface Reply {
  readonly status: number;
  readonly body?: string | Uint8Array;
  /** Default: a page. */
  readonly type?: string | undefined;
  /** Where to go on. */
  readonly location?: string;
}

/** What the shopper reads if a place is not to be had, by the gateway's reason. */
const refusals: Readonly<Record<string, string>> = {
  NO_PLACE_FREE: "The last place there has just gone. Choose another place.",
  PARCEL_DOES_NOT_FIT: "Your parcel does not fit there. Choose another place.",
  SITE_NOT_FOUND: "That place is not known any more. Choose another place.",
  SITE_NOT_ACCEPTING: "That place is closed for now. Choose another place.",
  SITE_INTAKE_PAUSED: "That place takes no parcels for now. Choose another place.",
  SITE_REQUIREMENT_UNMET: "That place cannot take your parcel. Choose another place.",
  SITE_OUT_OF_SERVICE: "That place is out of service now. Cancel the order and choose another place.",
  AVAILABILITY_UNKNOWN: "It is not known whether anything is free there. Choose another place.",
  CHOICE_INVALID: "Your choice of a place could not be verified. Choose it again.",
  CHOICE_EXPIRED: "Your choice of a place is too old. Choose it again.",
  CHOICE_MISMATCH: "Your choice of a place was for something else. Choose it again.",
  INVALID_FIELD: "Your choice of a place could not be read. Choose it again.",
};

/** What to tell the shopper of an error, and how. What the shopper cannot help is reported. */
function explain(error: unknown, onError: (error: Error) => void): { problem: string; status: number } {
  const problem = refusals[reasonOf(error) ?? ""];
  if (problem !== undefined) return { problem, status: 409 };
  onError(error as Error);
  const busy = error instanceof OrderBookFull ? "The shop has too many orders now." : "The collection places cannot be reached now.";
  return { problem: `${busy} Nothing was changed: try again in a minute.`, status: 503 };
}

export interface RoutesOptions extends Gateway {
  /** In a demonstration: plays the courier and the buyer at the door. */
  stage?: Stage;
  onError: (error: Error) => void;
}

/** Finds what a shopper's address may mean. */
export type ResolveAddress = Awaited<ReturnType<typeof openAddresses>>;

/** More than any address has, in characters. */
const maxAddressLength = 200;

/** Answers the requests of shoppers. */
export function createRoutes(
  book: OrderBook,
  places: Places,
  resolveAddress: ResolveAddress,
  { gatewayUrl, publishableKey, stage, onError }: RoutesOptions,
) {
  const gateway = { gatewayUrl, publishableKey };
  const shown = (body: string, status = 200): Reply => ({ status, body });
  const notFound = shown(problemPage("Not found", "There is nothing here. Orders are forgotten when the shop restarts."), 404);

  /** Undefined, after a report, if it fails: the page is of use without. */
  async function orNothing<Value>(asked: Promise<Value>): Promise<Value | undefined> {
    return await asked.catch((error: Error) => {
      onError(error);
      return undefined;
    });
  }

  async function checkout(form: URLSearchParams, problem?: string, status = 200): Promise<Reply> {
    const product = products.find(({ id }) => id === form.get("product"));
    if (product === undefined) return notFound;
    const town = towns.find(({ name }) => name === form.get("near")) ?? towns[0];
    const asked: Checkout = { product, town, buyer: form.get("buyer") ?? "", problem };
    if (!form.has("list")) return shown(checkoutPage(asked, gateway), status);
    try {
      const found = await places.nearest(town, product.parcel, 10);
      return shown(checkoutPage({ ...asked, places: found }, gateway), status);
    } catch (error) {
      const why = explain(error, onError);
      return shown(checkoutPage({ ...asked, problem: problem ?? why.problem, places: [] }, gateway), why.status);
    }
  }

  async function placeOrder(form: URLSearchParams): Promise<Reply> {
    const product = products.find(({ id }) => id === form.get("product"));
    const buyer = (form.get("buyer") ?? "").trim().slice(0, 100);
    const siteId = form.get("place") ?? "";
    const formId = form.get("form") ?? "";
    if (product === undefined || formId === "") return notFound;
    if (siteId === "") return await checkout(form, "Choose a place to collect.", 400);
    if (buyer === "") return await checkout(form, "Type your name: the parcel is sent to it.", 400);
    try {
      const order = await book.place({ formId, product, buyer, siteId, choice: form.get("place-choice") ?? "" });
      return { status: 303, location: `/orders/${order.id}` };
    } catch (error) {
      const { problem, status } = explain(error, onError);
      return await checkout(form, problem, status);
    }
  }

  async function showOrder(order: Order, problem?: string, status = 200): Promise<Reply> {
    const { reservation, site, product } = order;
    const isThere = reservation.state === ReservationState.DEPOSITED;
    const code = isThere ? await orNothing(places.collectionCode(order)) : undefined;
    const from = hasLostPlace(order) ? site.position : undefined;
    const [nextBest] = (from && (await orNothing(places.nearest(from, product.parcel, 1)))) ?? [];
    return shown(orderPage(order, { code, nextBest, problem, isStaged: stage !== undefined }), status);
  }

  /** Has a stage do something. False: it is nothing that a stage does. */
  async function play(stage: Stage, order: Order, act: string): Promise<boolean> {
    if (act === "deposit") await stage.deposit(order);
    else if (act === "collect") await stage.collect(order, (await places.collectionCode(order)).pin);
    else return false;
    await places.refresh(order);
    return true;
  }

  return {
    async get({ pathname, searchParams }: URL): Promise<Reply> {
      if (pathname === "/") return shown(cataloguePage());
      if (pathname === "/checkout") return await checkout(searchParams);
      if (pathname === "/addresses") {
        const found = resolveAddress((searchParams.get("q") ?? "").slice(0, maxAddressLength));
        return { status: 200, body: JSON.stringify(found), type: "application/json" };
      }
      const order = book.get(/^\/orders\/([^/]+)$/.exec(pathname)?.[1] ?? "");
      return order === undefined ? notFound : await showOrder(order);
    },

    async post({ pathname }: URL, form: URLSearchParams): Promise<Reply> {
      if (pathname === "/orders") return await placeOrder(form);
      const [, id = "", act = ""] = /^\/orders\/([^/]+)\/([a-z]+)$/.exec(pathname) ?? [];
      const order = book.get(id);
      if (order === undefined) return notFound;
      try {
        if (act === "pay") await book.pay(order);
        else if (act === "cancel") await book.cancel(order);
        else if (act === "place") await book.moveTo(order, form.get("place") ?? "");
        else if (stage === undefined || !(await play(stage, order, act))) return notFound;
        return { status: 303, location: `/orders/${id}` };
      } catch (error) {
        const { problem, status } = explain(error, onError);
        return await showOrder(order, problem, status);
      }
    },
  };
}
