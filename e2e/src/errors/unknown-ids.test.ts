import { clone, type DescMethod, isMessage, type Message } from "@bufbuild/protobuf";
import { type Reason, ReportEventsRequestSchema } from "@petak/protocol";
import { roundsHere, useRedis } from "@petak/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { byTurns } from "../testing/by-turns.ts";
import { type Callers, type GoodRequest, signedReport } from "../testing/good-requests.ts";
import { spotsOf } from "../testing/schema-walk.ts";
import { callersOf, goodRequestsIn, startWorld, type World } from "../testing/world.ts";
import { readFailure } from "../wire/failure.ts";
import { wireProtocols } from "../wire/protocols.ts";

/** Ids that nobody has, well-formed and malformed, and some that could break code that builds key names from them. */
const ids = [
  "site_83652b_zzzz",
  "site_83652b_k3v9c0x2md00zzzz",
  "site_83652b_k3v9c0x2md000000",
  "site_zzzzzz_1",
  "site_83652b_",
  "site_83652b_k3v9c0x2mdzzzzzz",
  "res_83652b_0000000000000000",
  "res_ffffff_0000000000000000",
  "bdl_83652b_0000000000000000",
  "par_0000000000000000",
  "key_test_0000000000000000",
  "pk_test_000000000000000000000000",
  "x",
  "*",
  "par_x:keys",
  "../../etc/passwd",
  "{83652b}:events",
  "a\u200cb",
  "préfixe",
  "\u{1f4e6}\u{1f4e6}",
  "' OR 1=1 --",
];

/** Fields that name something, with the caller and the reason of the refusal if it does not exist. An empty reason: the call succeeds. */
const fields: [method: string, path: string, by: keyof Callers, reason: Reason | ""][] = [
  ["GetSite", "site_id", "courier", "SITE_NOT_FOUND"],
  ["GetAvailability", "site_ids[0]", "courier", "SITE_NOT_FOUND"],
  ["CheckFit", "site_ids[0]", "courier", "SITE_NOT_FOUND"],
  ["RetireSites", "site_ids[0]", "operator", "SITE_NOT_FOUND"],
  ["ReportCapacity", "sites[0].site_id", "operator", "SITE_NOT_FOUND"],
  ["RegisterKey", "site_id", "operator", "SITE_NOT_FOUND"],
  ["Confirm", "reservation_id", "courier", "RESERVATION_NOT_FOUND"],
  ["Cancel", "reservation_id", "courier", "RESERVATION_NOT_FOUND"],
  ["GetReservation", "reservation_id", "courier", "RESERVATION_NOT_FOUND"],
  ["IssueCredential", "reservation_id", "courier", "RESERVATION_NOT_FOUND"],
  ["PutBundle", "bundle_id", "courier", "BUNDLE_NOT_FOUND"],
  ["PutBundle", "reservation_ids[0]", "courier", "RESERVATION_NOT_FOUND"],
  ["GetManifest", "site_ids[0]", "courier", "SITE_NOT_FOUND"],
  ["GetBundle", "bundle_id", "courier", "BUNDLE_NOT_FOUND"],
  ["IssueBundleCredential", "bundle_id", "courier", "BUNDLE_NOT_FOUND"],
  ["RevokeCredential", "bundle_id", "courier", "BUNDLE_NOT_FOUND"],
  ["GetCustodyChain", "reservation_id", "courier", "RESERVATION_NOT_FOUND"],
  ["CorrectEvents", "reservation_id", "operator", "RESERVATION_NOT_FOUND"],
  ["CountersignReceipt", "reservation_id", "courier", "RESERVATION_NOT_FOUND"],
  ["GetParticipant", "participant_id", "admin", "PARTICIPANT_NOT_FOUND"],
  ["GetParticipant", "participant_id", "courier", "PARTICIPANT_NOT_FOUND"],
  ["ListKeys", "participant_id", "admin", "PARTICIPANT_NOT_FOUND"],
  ["SetParticipantLimits", "participant_id", "admin", "PARTICIPANT_NOT_FOUND"],
  ["GetLimits", "participant_id", "admin", "PARTICIPANT_NOT_FOUND"],
  ["GetLimits", "site_id", "courier", "SITE_NOT_FOUND"],
  ["RegisterKey", "participant_id", "admin", "PARTICIPANT_NOT_FOUND"],
  ["CreatePublishableKey", "participant_id", "admin", "PARTICIPANT_NOT_FOUND"],
  ["RevokeKey", "key_id", "courier", "KEY_NOT_FOUND"],
  ["RevokeKey", "key_id", "admin", "KEY_NOT_FOUND"],
  ["GetEndpoint", "endpoint_id", "courier", "WEBHOOK_ENDPOINT_NOT_FOUND"],
  ["UpdateEndpoint", "endpoint_id", "courier", "WEBHOOK_ENDPOINT_NOT_FOUND"],
  ["RotateEndpointKey", "endpoint_id", "courier", "WEBHOOK_ENDPOINT_NOT_FOUND"],
  ["TestEndpoint", "endpoint_id", "courier", "WEBHOOK_ENDPOINT_NOT_FOUND"],
  ["ReplayEvents", "endpoint_id", "courier", "WEBHOOK_ENDPOINT_NOT_FOUND"],
  ["DeleteEndpoint", "endpoint_id", "courier", "WEBHOOK_ENDPOINT_NOT_FOUND"],
  ["Boot", "site_id", "agent", "AGENT_SITE_MISMATCH"],
  ["Sync", "site_id", "agent", "AGENT_SITE_MISMATCH"],
  ["ReportEvents", "site_id", "agent", "AGENT_SITE_MISMATCH"],
  // An event at the door is recorded whatever the credential named.
  ["ReportEvents", "events[0].reservation_id", "agent", ""],
  // A filter that no site passes, and one that excludes none.
  ["FindNearest", "operator_ids[0]", "courier", ""],
  ["FindNearest", "excluded_operator_ids[0]", "courier", ""],
  ["Reserve", "nearest.operator_ids[0]", "courier", ""],
];

/** The protocols over which the next value is sent: by turns, or all. */
const inTurn = byTurns(roundsHere({ short: 1, ci: 4 }));

const redis = useRedis();
let world: World;
let callers: Callers;
let requests: GoodRequest[];

beforeAll(async () => {
  world = await startWorld(redis);
  requests = await goodRequestsIn(world);
});
// The tests of a file may take longer than a token is good for.
beforeEach(async () => {
  callers = await callersOf(world);
});
afterAll(() => world.stop());

/** Number of the reports that were recorded. */
let reported = 0n;

/** The good request with another id and a new request id, because it is a different request. An agent's report is signed again. */
async function withId({ method, message }: GoodRequest, path: string, id: string): Promise<Message> {
  const changed = clone(method.input, message);
  for (const spot of spotsOf(method.input, changed)) {
    if (spot.path === path) spot.put(id);
    if (spot.path === "request_id") spot.put(crypto.randomUUID());
  }
  if (!isMessage(changed, ReportEventsRequestSchema)) return changed;
  const { siteId, events } = changed;
  // Something else under a number that is recorded would be a fork.
  const numbered = events.map((event) => ({ ...event, sequence: event.sequence + reported }));
  if (path.startsWith("events")) reported += 1n;
  return { ...changed, events: await Promise.all(numbered.map((event) => signedReport(world.agent, siteId, event))) } as Message;
}

function requestTo(name: string): GoodRequest & { method: DescMethod } {
  const request = requests.find(({ method }) => method.name === name);
  if (request === undefined) throw new Error(`no request to ${name}`);
  return request;
}

describe("an unknown id", () => {
  it.each(fields)("in %s %s sent by the %s gives %s", async (name, path, by, reason) => {
    const request = requestTo(name);
    // The store files its keys under this name.
    for (const id of [...ids, `${world.courier.participantId}:keys`]) {
      // An agent's key knows only its own site, so it cannot distinguish the two.
      for (const protocol of inTurn(wireProtocols)) {
        const message = await withId(request, path, id);
        const answer = await world.raw.call(protocol, request.method, message, { authorization: callers[by], timeoutMs: 30_000 });
        const failure = readFailure(answer);
        expect([protocol, id, failure?.reason ?? "", answer.end]).toEqual([protocol, id, reason, "complete"]);
        if (failure === undefined || reason.startsWith("AGENT_") || reason === "NO_PLACE_FREE") continue;
        expect(Object.values(failure.metadata)).toEqual([id]);
      }
    }
  });
});

describe("a cursor", () => {
  it.each(["ListEvents", "WatchEvents"])("of %s is accepted only in the form in which it was issued", async (name) => {
    const { reservationId } = await world.hold();
    const { nextCursor } = await world.courier.client.custody.listEvents({});
    expect(reservationId).not.toBe("");
    const encode = (text: string) => Buffer.from(text).toString("base64url");
    const bytes = Buffer.from(nextCursor, "base64url");
    const changed = (index: number) => Buffer.from(bytes.map((byte, at) => (at === index ? byte ^ 1 : byte))).toString("base64url");
    const others = (await world.operator.client.custody.listEvents({})).nextCursor;
    const wrong = [
      "x",
      nextCursor.slice(0, -1),
      `${nextCursor}=`,
      `${nextCursor} `,
      `${nextCursor}${nextCursor}`,
      changed(0),
      changed(3),
      others,
      encode("1 83652b@1795534815128-0"),
      "_".repeat(16_384),
    ];
    const { method } = requestTo(name);
    for (const cursor of wrong) {
      for (const protocol of inTurn(wireProtocols)) {
        const answer = await world.raw.call(protocol, method, { cursor } as never, { authorization: callers.courier, timeoutMs: 30_000 });
        const failure = readFailure(answer);
        expect([protocol, cursor, failure?.reason, failure?.violations[0]?.field]).toEqual([protocol, cursor, "CURSOR_INVALID", "cursor"]);
      }
    }
  });
});
