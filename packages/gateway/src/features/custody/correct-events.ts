import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { correctEvents as correction, participantParty } from "@petak/lifecycle";
import {
  type CorrectEventsRequest,
  CorrectEventsRequestSchema,
  type CorrectEventsResponse,
  CorrectEventsResponseSchema,
  EventSchema,
  invalidField,
  PetakError,
} from "@petak/protocol";
import type { EventStream } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import type { ReservationChanges } from "../idempotency/change-reservation.ts";
import type { EventView } from "./event-view.ts";

export interface CorrectEventsDependencies {
  changes: Pick<ReservationChanges, "changeBy">;
  events: Pick<EventStream, "chain">;
  view: EventView;
  now: () => number;
}

/** Appends a correction, which declares earlier events of a reservation wrong, to its chain. Recorded events never change. Returns the correction. */
export async function correctEvents(
  { changes, events, view, now }: CorrectEventsDependencies,
  request: CorrectEventsRequest,
  caller: ParticipantCaller,
): Promise<CorrectEventsResponse> {
  const { reservationId, eventIds, reason, occurredAt } = request;
  const stored = await changes.changeBy(CorrectEventsRequestSchema, request, {
    isRepeatable: true,
    caller,
    changer: "operator",
    plan: async (before) => {
      const atMs = now();
      checkTime(request, atMs);
      const known = new Set((await events.chain(reservationId)).map(({ eventId }) => eventId));
      const unknown = eventIds.find((eventId) => !known.has(eventId));
      if (unknown !== undefined) throw eventNotFound(reservationId, unknown);
      const { transition, event } = correction(before, { actor: participantParty(caller), eventIds, reason, occurredAt }, atMs);
      return { transition, response: toBinary(EventSchema, event, { writeUnknownFields: false }) };
    },
  });
  const [event] = await view([fromBinary(EventSchema, stored)]);
  return create(CorrectEventsResponseSchema, { event });
}

function checkTime({ eventIds, occurredAt }: CorrectEventsRequest, atMs: number): void {
  if (occurredAt === undefined) return;
  if (eventIds.length > 1) {
    throw invalidField(
      "occurred_at",
      `must be unset for ${eventIds.length} events: it is the time of a single event`,
      "correct_events.one_event",
    );
  }
  if (timestampMs(occurredAt) > atMs) throw invalidField("occurred_at", "must not be in the future", "correct_events.past");
}

function eventNotFound(reservationId: string, eventId: string): PetakError {
  return new PetakError("EVENT_NOT_FOUND", `reservation ${reservationId} has no event ${JSON.stringify(eventId)}`, {
    metadata: { reservation_id: reservationId, event_id: eventId },
  });
}
