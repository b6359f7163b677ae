import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { correctEvents, participantParty } from "@petak/lifecycle";
import { type CorrectEventsRequest, CorrectEventsRequestSchema, type Event, EventSchema, invalidField, PetakError } from "@petak/protocol";
import type { Allocator } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { createReservationChanges } from "../idempotency/change-reservation.ts";
import type { Receipts } from "../receipts/receipts.ts";

/** What correcting needs. */
export interface CorrectEventsDependencies {
  allocator: Allocator;
  receipts: Receipts;
  now: () => number;
}

/** Makes what declares events wrong: by another at the end of the chain, since no event ever changes. Gives the correction. */
export function createCorrectEvents({ allocator, receipts, now }: CorrectEventsDependencies) {
  const { changeBy } = createReservationChanges(allocator, receipts);

  return async (request: CorrectEventsRequest, caller: ParticipantCaller): Promise<Event> => {
    const { reservationId, eventIds, reason, occurredAt } = request;
    const answer = await changeBy(CorrectEventsRequestSchema, request, {
      caller,
      changer: "operator",
      plan: async (before) => {
        const atMs = now();
        if (occurredAt !== undefined && eventIds.length > 1) {
          throw invalidField(
            "occurred_at",
            `must be unset for ${eventIds.length} events: it is the time of a single event`,
            "correct_events.one_event",
          );
        }
        if (occurredAt !== undefined && timestampMs(occurredAt) > atMs) {
          throw invalidField("occurred_at", "must not be in the future", "correct_events.past");
        }
        const known = new Set((await allocator.events.chain(reservationId)).map(({ eventId }) => eventId));
        const unknown = eventIds.find((eventId) => !known.has(eventId));
        if (unknown !== undefined) throw eventNotFound(reservationId, unknown);
        const { transition, event } = correctEvents(before, { actor: participantParty(caller), eventIds, reason, occurredAt }, atMs);
        return { transition, answer: toBinary(EventSchema, event, { writeUnknownFields: false }) };
      },
    });
    return fromBinary(EventSchema, answer);
  };
}

function eventNotFound(reservationId: string, eventId: string): PetakError {
  return new PetakError("EVENT_NOT_FOUND", `reservation ${reservationId} has no event ${JSON.stringify(eventId)}`, {
    metadata: { reservation_id: reservationId, event_id: eventId },
  });
}
