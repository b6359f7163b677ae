import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { EventSchema, formatSiteId, PartyKind, PartySchema } from "@petak/protocol";
import { describe, expect, it } from "vitest";
import { testSiteIds } from "../testing/test-ids.ts";
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
  it.each(given)("is decoded as it was encoded: $actor, $occurred, $recorded", ({ actor, occurred, recorded }) => {
    const event = create(EventSchema, { eventId: "evt_1", participantId: "par_a", siteId: "site_1" });
    if (actor !== undefined) event.actor = create(PartySchema, actor);
    if (occurred !== undefined) event.occurredAt = timestampFromMs(occurred);
    // No event has a time of recording only.
    if (recorded !== undefined && occurred !== undefined) event.recordedAt = timestampFromMs(recorded);
    else if (occurred !== undefined) event.recordedAt = timestampFromMs(occurred);
    const bytes = encodeEvent(event, testSiteIds);
    expect(decodeEvent(bytes, testSiteIds)).toEqual(event);
    expect(bytes.includes("par_a")).toBe(true);
  });

  it.each([
    ["of the reservation's region", "evt_83652b_cgkje3pafwzn5cxd", testSiteIds.format("83652b", 4711)],
    ["of another region", "evt_836520_cgkje3pafwzn5cxd", testSiteIds.format("836520", 4711)],
    ["of another store", "evt_83652b_cgkje3pafwzn5cxd", formatSiteId("83652b", "an0therst0", 4711)],
    ["that are none", "event", "site"],
    ["that are empty", "", ""],
  ])("keeps ids %s", (_whose, eventId, siteId) => {
    const event = create(EventSchema, { eventId, siteId, reservationId: "res_83652b_0123456789abcdef", participantId: "par_a" });
    expect(decodeEvent(encodeEvent(event, testSiteIds), testSiteIds)).toEqual(event);
  });

  it("names its region once", () => {
    const ids = {
      eventId: "evt_83652b_cgkje3pafwzn5cxd",
      siteId: testSiteIds.format("83652b", 4711),
      reservationId: "res_83652b_0123456789abcdef",
    };
    expect(
      encodeEvent(create(EventSchema, ids), testSiteIds)
        .toString("latin1")
        .match(/83652b/g),
    ).toHaveLength(1);
  });
});
