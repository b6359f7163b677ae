import { type Event, EventType, type GetCustodyChainResponse, ReservationState } from "@petak/protocol";
import type { ChainLink, ReportFault } from "./chain-link.ts";
import { handOverOf } from "./hand-overs.ts";
import { nameOf } from "./names.ts";
import { receiptOf } from "./receipt.ts";
import { claimsOf, type ReceiptClaims } from "./receipt-claims.ts";

/** Checks that events match the links, that none lacks its receipt, and that their states follow from one another. */
export async function checkEvents(
  { reservation, events }: GetCustodyChainResponse,
  { own, length, present }: { own: readonly ChainLink[]; length: number; present: ReadonlySet<number> },
  report: ReportFault,
): Promise<void> {
  const byId = new Map(events.map((event) => [event.eventId, event]));
  for (const link of own) {
    const { number, claims } = link;
    const about = { link: number, eventId: claims.event_id };
    const event = byId.get(claims.event_id);
    if (event === undefined) report("EVENT_MISSING", `the event ${claims.event_id} of link ${number} is missing`, about);
    else for (const difference of await differences(event, link)) report("EVENT_DIFFERS", `${difference}, in link ${number}`, about);
  }
  const signed = new Set(own.map(({ claims }) => claims.event_id));
  let state: ReservationState | undefined;
  for (const event of events) {
    const { eventId, stateBefore, stateAfter, receipt } = event;
    const name = `the event ${eventId}, ${nameOf(EventType, event.type)},`;
    if (event.reservationId !== reservation?.reservationId)
      report("EVENT_DIFFERS", `${name} belongs to ${event.reservationId}`, { eventId });
    if (handOverOf(event) !== undefined && !signed.has(eventId)) {
      // A bad or missing link has been reported already.
      const isReported = receipt !== undefined && isReportedFault(receipt.number, own, length, present);
      if (!isReported) report("EVENT_UNSIGNED", `${name} has no receipt`, { eventId });
    }
    if (handOverOf(event) === undefined && receipt !== undefined) {
      report("EVENT_DIFFERS", `${name} has a receipt, although events of its kind have none`, { eventId, link: receipt.number });
    }
    if (state !== undefined && stateBefore !== state) {
      const [was, is] = [nameOf(ReservationState, state), nameOf(ReservationState, stateBefore)];
      report("EVENT_ORDER", `${name} starts from the state ${is}, but the event before it ends with ${was}`, { eventId });
    }
    state = stateAfter;
  }
  if (state !== undefined && state !== reservation?.state) {
    const [last, is] = [nameOf(ReservationState, state), nameOf(ReservationState, reservation?.state ?? 0)];
    report("EVENT_ORDER", `the last event ends with the state ${last}, but the reservation is ${is}`);
  }
}

/** Whether a link is not among the valid ones and was reported as a fault. */
function isReportedFault(number: number, own: readonly ChainLink[], length: number, present: ReadonlySet<number>): boolean {
  return !own.some((link) => link.number === number) && (present.has(number) || number <= Math.max(length, ...present));
}

/** Differences between an event and its receipt, one sentence for each member. */
async function differences(event: Event, { jws, claims }: ChainLink): Promise<string[]> {
  if (event.receipt === undefined) return [`the event ${event.eventId} lacks the content of its receipt`];
  let said: ReceiptClaims;
  try {
    said = claimsOf(event, event.receipt);
  } catch (error) {
    return [(error as Error).message];
  }
  const found = (Object.keys(claims) as (keyof ReceiptClaims)[]).flatMap((name) => {
    const [inEvent, inLink] = [JSON.stringify(said[name]), JSON.stringify(claims[name])];
    return inEvent === inLink ? [] : [`the event ${event.eventId} has ${name} ${inEvent}, but ${inLink} was signed`];
  });
  if (found.length > 0 || (await receiptOf(event, event.receipt)).jws === jws) return found;
  return [`the event ${event.eventId} has another issuer's key or signature`];
}
