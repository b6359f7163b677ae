import { type Event, EventType, type GetCustodyChainResponse, ReservationState } from "@petak/protocol";
import type { ChainLink, Complain } from "./chain-link.ts";
import { handOverOf } from "./hand-overs.ts";
import { nameOf } from "./names.ts";
import { receiptOf } from "./receipt.ts";
import { claimsOf, type ReceiptClaims } from "./receipt-claims.ts";

/** Checks that events say what was signed, that none lacks its receipt, and that they follow one another. */
export async function checkEvents(
  { reservation, events }: GetCustodyChainResponse,
  { own, length, present }: { own: readonly ChainLink[]; length: number; present: ReadonlySet<number> },
  complain: Complain,
): Promise<void> {
  const byId = new Map(events.map((event) => [event.eventId, event]));
  for (const link of own) {
    const { number, claims } = link;
    const about = { link: number, eventId: claims.event_id };
    const event = byId.get(claims.event_id);
    if (event === undefined) complain("EVENT_MISSING", `the event ${claims.event_id} of link ${number} is not there`, about);
    else for (const difference of await differences(event, link)) complain("EVENT_DIFFERS", `${difference}, in link ${number}`, about);
  }
  const signed = new Set(own.map(({ claims }) => claims.event_id));
  let state: ReservationState | undefined;
  for (const event of events) {
    const { eventId, stateBefore, stateAfter, receipt } = event;
    const name = `the event ${eventId}, ${nameOf(EventType, event.type)},`;
    if (event.reservationId !== reservation?.reservationId) complain("EVENT_DIFFERS", `${name} is of ${event.reservationId}`, { eventId });
    if (handOverOf(event) !== undefined && !signed.has(eventId)) {
      // Where its link is bad or missing, that was said.
      const isNamed = receipt !== undefined && isComplainedOf(receipt.number, own, length, present);
      if (!isNamed) complain("EVENT_UNSIGNED", `${name} has no receipt`, { eventId });
    }
    if (handOverOf(event) === undefined && receipt !== undefined) {
      complain("EVENT_DIFFERS", `${name} has a receipt, and none is made of such events`, { eventId, link: receipt.number });
    }
    if (state !== undefined && stateBefore !== state) {
      const [was, is] = [nameOf(ReservationState, state), nameOf(ReservationState, stateBefore)];
      complain("EVENT_ORDER", `${name} begins with the state ${is}, and the one before it ends with ${was}`, { eventId });
    }
    state = stateAfter;
  }
  if (state !== undefined && state !== reservation?.state) {
    const [last, is] = [nameOf(ReservationState, state), nameOf(ReservationState, reservation?.state ?? 0)];
    complain("EVENT_ORDER", `the last event ends with the state ${last}, and the reservation is ${is}`);
  }
}

/** Whether a link is not among the good ones and was complained of as such. */
function isComplainedOf(number: number, own: readonly ChainLink[], length: number, present: ReadonlySet<number>): boolean {
  return !own.some((link) => link.number === number) && (present.has(number) || number <= Math.max(length, ...present));
}

/** What an event says otherwise than its receipt, member by member. */
async function differences(event: Event, { jws, claims }: ChainLink): Promise<string[]> {
  if (event.receipt === undefined) return [`the event ${event.eventId} has lost what makes its receipt`];
  let said: ReceiptClaims;
  try {
    said = claimsOf(event, event.receipt);
  } catch (error) {
    return [(error as Error).message];
  }
  const found = (Object.keys(claims) as (keyof ReceiptClaims)[]).flatMap((name) => {
    const [inEvent, inLink] = [JSON.stringify(said[name]), JSON.stringify(claims[name])];
    return inEvent === inLink ? [] : [`the event ${event.eventId} says ${name} ${inEvent}, and signed was ${inLink}`];
  });
  if (found.length > 0 || (await receiptOf(event, event.receipt)).jws === jws) return found;
  return [`the event ${event.eventId} has another issuer's key or signature`];
}
