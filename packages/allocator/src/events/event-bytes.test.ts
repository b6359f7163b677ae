import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { EventSchema, PartyKind, PartySchema } from "@petak/protocol";
import { describe, expect, it } from "vitest";
import { decodeEvent, encodeEvent } from "./event-bytes.ts";

const parties = [
  { kind: PartyKind.PARTICIPANT, participantId: "par_a" },
  { kind: PartyKind.PARTICIPANT, participantId: "par_b" },
  { kind: PartyKind.AGENT, participantId: "par_a" },
  { kind: PartyKind.CONSUMER },
  undefined,
];
const times = [undefined, 1_790_000_000_000, 1_790_000_000_001];
const given = parties.flatMap((actor) => times.flatMap((occurred) => times.map((recorded) => ({ actor, occurred, recorded }))));

describe("an event in the stream", () => {
  it.each(given)("is read as it was: $actor, $occurred, $recorded", ({ actor, occurred, recorded }) => {
    const event = create(EventSchema, { eventId: "evt_1", participantId: "par_a", siteId: "site_1" });
    if (actor !== undefined) event.actor = create(PartySchema, actor);
    if (occurred !== undefined) event.occurredAt = timestampFromMs(occurred);
    // What was recorded and never happened is recorded nowhere.
    if (recorded !== undefined && occurred !== undefined) event.recordedAt = timestampFromMs(recorded);
    else if (occurred !== undefined) event.recordedAt = timestampFromMs(occurred);
    const bytes = encodeEvent(event);
    expect(decodeEvent(bytes)).toEqual(event);
    expect(bytes.includes("par_a")).toBe(true);
  });
});
