import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { type IssueCredentialResponse, ReservationState, SiteKind, type SiteOption } from "@petak/protocol";
import { encode } from "uqr";
import { html, type Markup } from "./html.ts";
import { hoursLines } from "./opening-hours.ts";
import { hasLostPlace, isOver, type Order } from "./orders.ts";
import { distance, notice, page } from "./pages.ts";

/** What an order's page shows besides the order. */
export interface OrderView {
  /** To collect with, if the parcel is there. */
  code?: IssueCredentialResponse | undefined;
  /** If the place was lost. */
  nextBest?: SiteOption | undefined;
  /** What did not work just now. */
  problem?: string | undefined;
  /** Whether a stage plays the courier and the buyer at the door. */
  isStaged: boolean;
}

export function orderPage(order: Order, view: OrderView): string {
  const { reservation, buyer, product, id } = order;
  const lost = hasLostPlace(order);
  const goesOn = !isOver(order);
  const paid = order.isPaid ? "Your payment stands for another place." : "Nothing was paid.";
  const { title, text } = lost
    ? { title: "Your place was let go", text: `${order.site.name} keeps no place for you any more. ${paid}` }
    : headline(order);
  const body = html`<h1>${title}</h1>
${steps(order, lost)}
${view.problem !== undefined && notice("error", view.problem)}
<p>${text}</p>
<div class="order">
<div class="stack">${lost ? nextBestForm(order, view.nextBest) : actions(order)}${code(order, view.code)}${view.isStaged && played(order)}
<section class="card"><h2>Your order</h2>
<dl class="facts"><dt>Order</dt><dd>${id.slice(0, 8)}</dd><dt>Product</dt><dd>${product.name}, ${product.price}</dd><dt>For</dt><dd>${buyer}</dd></dl>
</section></div>
${goesOn && place(order)}
</div>
${goesOn && html`<noscript><p><a class="button narrow" href="/orders/${id}">Look for news</a></p></noscript>`}`;
  const news = `${reservation.reservationId} ${reservation.revision} ${view.code?.credentialHash ?? ""}`;
  return page(title, body, goesOn ? news : undefined);
}

function headline({ site, reservation, isPaid }: Order): { title: string; text: string } {
  const { state, feeDue } = reservation;
  const at = (time: Timestamp | undefined): string => localTime(time, site.timeZone);
  switch (state) {
    case ReservationState.HELD:
      return { title: "Pay to keep your place", text: `A place at ${site.name} is held for you until ${at(reservation.holdExpiresAt)}.` };
    case ReservationState.CONFIRMED:
      return { title: "Sent", text: `Your parcel is on its way to ${site.name}. This page says when it is there.` };
    case ReservationState.DEPOSITED:
      return {
        title: "Ready to collect",
        text:
          reservation.overdueSince === undefined
            ? `Your parcel is at ${site.name} until ${at(reservation.collectUntil)}.`
            : `Your parcel was to be collected by ${at(reservation.collectUntil)}, and goes back soon. Until then it opens.`,
      };
    case ReservationState.COLLECTED:
      return { title: "Collected", text: `You collected your parcel on ${at(reservation.collectedAt)}.` };
    case ReservationState.CANCELLED: {
      const fee = feeDue === undefined ? "." : `; the place costs ${feeDue.currencyCode} ${Number(feeDue.units) + feeDue.nanos / 1e9}.`;
      return {
        title: "Cancelled",
        text: `Nothing is sent, and the place is free again${isPaid ? `. Your payment is returned${fee}` : fee}`,
      };
    }
    case ReservationState.RECALLED:
      return { title: "On its way back", text: "Nobody collected the parcel, so it was taken back. Your payment is returned." };
    default:
      return { title: "We are asking", text: `It is not certain where your parcel is. ${site.name} is finding out.` };
  }
}

function localTime(time: Timestamp | undefined, timeZone: string): string {
  if (time === undefined) return "a time that is not known";
  const parts = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  return new Intl.DateTimeFormat("en-GB", { ...parts, timeZone }).format(timestampDate(time));
}

/** How far the order has come; nothing for one that goes no further. */
function steps({ reservation: { state } }: Order, lost: boolean): Markup | undefined {
  const { HELD, CONFIRMED, DEPOSITED, COLLECTED } = ReservationState;
  const way: readonly ReservationState[] = [HELD, CONFIRMED, DEPOSITED, COLLECTED];
  const now = way.indexOf(state);
  if (lost || now === -1) return undefined;
  const items = ["Payment", "Sent", "Ready to collect", "Collected"].map((name, index) => {
    const isDone = index < now || state === COLLECTED;
    const mark = isDone ? html`✓ <span class="for-readers">done: </span>` : "";
    return html`<li class="pill${index > now && " off"}"${index === now && html` aria-current="step"`}>${mark}${index === now ? html`<strong>${name}</strong>` : name}</li>`;
  });
  return html`<ol class="steps">${items}</ol>`;
}

const button = (order: Order, act: string, name: string, look: string, more: Markup | "" = ""): Markup =>
  html`<form action="/orders/${order.id}/${act}" method="post">${more}<button class="button ${look}">${name}</button></form>`;

function actions(order: Order): Markup | undefined {
  const { HELD, CONFIRMED } = ReservationState;
  const { state } = order.reservation;
  const cancel = button(order, "cancel", "Cancel the order", "danger");
  if (state === HELD) return html`${button(order, "pay", `Pay ${order.product.price}`, "primary")}${cancel}`;
  return state === CONFIRMED ? cancel : undefined;
}

/** In a demonstration, what a courier and the buyer would do at the place. */
function played(order: Order): Markup | undefined {
  const { CONFIRMED, DEPOSITED } = ReservationState;
  const { state } = order.reservation;
  if (state !== CONFIRMED && state !== DEPOSITED) return undefined;
  const [act, name] = state === CONFIRMED ? ["deposit", "Let the courier bring it"] : ["collect", "Collect it with the code"];
  return html`<section class="card stage"><h2>Only in this demonstration</h2><p>The place is played by a terminal in software.</p>${button(order, act, name, "")}</section>`;
}

function nextBestForm(order: Order, nextBest: SiteOption | undefined): Markup {
  const cancelled = html`<a class="button" href="/">To the shop</a>`;
  if (nextBest?.site === undefined) return html`${notice("attention", "No other place near there is free now.")}${cancelled}`;
  const { siteId, name, address } = nextBest.site;
  const where =
    siteId === order.site.siteId ? "It is still free there" : `The next best, ${distance(nextBest.distanceM)} from ${order.site.name}`;
  return html`<section class="card"><h2>${name}</h2><p class="quiet">${where} · ${nextBest.freeToPromise} free that fit · ${address?.lines.join(", ")}</p>
${button(order, "place", "Collect there", "primary", html`<input type="hidden" name="place" value="${siteId}">`)}${cancelled}</section>`;
}

function code({ reservation: { state, compartmentId }, site }: Order, credential: IssueCredentialResponse | undefined): Markup | undefined {
  if (state !== ReservationState.DEPOSITED) return undefined;
  if (credential === undefined) return notice("attention", "The code to collect is not known now. This page asks again.");
  const pin = `${credential.pin.slice(0, 4)} ${credential.pin.slice(4)}`;
  const isStore = site.kind === SiteKind.COLLECTION_POINT;
  return html`<section class="card code"><h2>Your code</h2><p class="pin">${pin}</p><p>${isStore ? "Say it at the counter" : "Type it at the terminal"}, or show this:</p>
${qrCode(credential.accessToken)}${!isStore && html`<p class="quiet">Compartment ${compartmentId} opens.</p>`}</section>`;
}

/** Dark on white in both themes: many scanners read nothing else. */
function qrCode(text: string): Markup {
  const { data, size } = encode(text, { ecc: "M", border: 4 });
  const path = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : []))).join("");
  return html`<svg class="qr" viewBox="0 0 ${size} ${size}" role="img" aria-label="QR code to collect the parcel" shape-rendering="crispEdges"><rect width="${size}" height="${size}" fill="#fff"/><path d="${path}" fill="#000"/></svg>`;
}

function place({ site }: Order): Markup {
  const { lines = [], locality = "", postalCode = "" } = site.address ?? {};
  const hours = site.openingHours === undefined ? [] : hoursLines(site.openingHours);
  return html`<section class="card"><h2>Where you collect</h2>
<p><strong>${site.name}</strong><br>${lines.map((line) => html`${line}<br>`)}${postalCode} ${locality}</p>
${site.access?.entranceHint !== undefined && html`<p>${site.access.entranceHint}</p>`}
<dl class="facts">${hours.map(({ when, open }) => html`<dt>${when}</dt><dd>${open}</dd>`)}</dl></section>`;
}
