import { inspect } from "node:util";
import { clone, create, type JsonValue, type Message, ScalarType, toJson } from "@bufbuild/protobuf";
import type { DurationSchema } from "@bufbuild/protobuf/wkt";
import type { Reason } from "@petak/protocol";
import { onThisMachine, roundsHere, useRedis } from "@petak/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { byTurns } from "../testing/by-turns.ts";
import { everyMethod, nameOfMethod } from "../testing/every-method.ts";
import type { Callers, GoodRequest } from "../testing/good-requests.ts";
import { isWellKnown, type Spot, spotsOf } from "../testing/schema-walk.ts";
import { callersOf, goodRequestsIn, startWorld, type World } from "../testing/world.ts";
import { readFailure } from "../wire/failure.ts";
import { bodyOf, callEncodingOf, type WireProtocol, wireProtocols } from "../wire/protocols.ts";
import type { RawAnswer } from "../wire/raw-answer.ts";

const names = everyMethod.map(nameOfMethod);

/** The protocols over which the next wrong value is sent: by turns, or all. */
const inTurn = byTurns(roundsHere({ short: 1, ci: 4 }));
/** The wrong values that the next field gets, of those for its type: by turns, or all. */
const valuesInTurn = byTurns(roundsHere({ short: 1, ci: 5 }));
/** Texts are many, so each gets one of the wrong ones at every length. */
const textInTurn = byTurns(1);
/** The deadline of a call, in ms. */
const timeoutMs = 30_000;
/** When every response must have arrived, in ms. */
const answeredWithinMs = 5000;

/** Bytes that an agent of an earlier release leaves out. */
const mayBeEmpty = new Set(["last_hash", "events[0].previous_hash"]);

/** Fields that accept any value of their type: the gateway sets them itself, or they are only counters. */
const free = new Set(["sites[0].revision", "sites[0].updated_at", "last_sequence", "agent_time", "known_version"]);

const redis = useRedis();
let world: World;
let callers: Callers;
let requests: Map<string, GoodRequest>;

beforeAll(async () => {
  world = await startWorld(redis);
  requests = new Map((await goodRequestsIn(world)).map((request) => [nameOfMethod(request.method), request]));
});
// The tests of a file may take longer than a token is good for.
beforeEach(async () => {
  callers = await callersOf(world);
});
afterAll(() => world.stop());

function requestOf(name: string): GoodRequest {
  const request = requests.get(name);
  if (request === undefined) throw new Error(`${name} has no good request`);
  return request;
}

/** The compared part of a response: its reason and the fields that it names. */
function inShort(answer: RawAnswer): { reason: string; fields: string[] } {
  const failure = readFailure(answer);
  expect(answer.end).toBe("complete");
  expect(answer.elapsedMs).toBeLessThan(onThisMachine(answeredWithinMs, answer.elapsedMs));
  return { reason: failure?.reason ?? "", fields: failure?.violations.map(({ field }) => field) ?? [] };
}

async function send(protocol: WireProtocol, { method, by }: GoodRequest, message: Message): Promise<ReturnType<typeof inShort>> {
  return inShort(await world.raw.call(protocol, method, message, { authorization: callers[by], timeoutMs }));
}

async function sendJson({ method, by }: GoodRequest, message: JsonValue): Promise<ReturnType<typeof inShort>> {
  return inShort(await world.raw.callJson(method, message, { authorization: callers[by], timeoutMs }));
}

/** Puts wrong values, in turn, into each field of the good request. Returns a line for each response other than INVALID_FIELD for that field. */
async function notRefused(
  name: string,
  valuesFor: (spot: Spot) => readonly unknown[],
  protocols: readonly WireProtocol[] = wireProtocols,
): Promise<string[]> {
  const request = requestOf(name);
  const schema = request.method.input;
  const spots = spotsOf(schema, request.message);
  const wrong: string[] = [];
  for (const [index, { path }] of spots.entries()) {
    for (const value of free.has(path) ? [] : valuesInTurn(valuesFor(spots[index] as Spot))) {
      for (const protocol of inTurn(protocols)) {
        const message = clone(schema, request.message);
        spotsOf(schema, message)[index]?.put(value);
        const { reason, fields } = await send(protocol, request, message);
        if (reason !== "INVALID_FIELD" || !fields.includes(path)) wrong.push(`${protocol} ${path} ${shown(value)}: ${reason} ${fields}`);
      }
    }
  }
  return wrong;
}

function shown(value: unknown): string {
  return inspect(value, { breakLength: Number.POSITIVE_INFINITY }).slice(0, 200);
}

function isScalar({ field }: Spot, ...types: ScalarType[]): boolean {
  return (field.fieldKind === "scalar" || field.fieldKind === "list") && field.scalar !== undefined && types.includes(field.scalar);
}

function isEnum({ field }: Spot): boolean {
  return field.fieldKind === "enum" || (field.fieldKind === "list" && field.listKind === "enum");
}

function isTime({ field }: Spot): boolean {
  return field.fieldKind === "message" && isWellKnown(field.message);
}

/** The message in JSON with one value replaced. */
function jsonWith(json: JsonValue, [first, ...rest]: readonly (string | number)[], value: JsonValue): JsonValue {
  if (first === undefined) return value;
  if (Array.isArray(json)) return json.map((element, index) => (index === first ? jsonWith(element, rest, value) : element));
  const members = json as Record<string, JsonValue>;
  return { ...members, [first]: jsonWith(members[first] ?? null, rest, value) };
}

it("every RPC is tested", () => {
  expect([...requests.keys()].sort()).toEqual([...names].sort());
});

describe.each(names)("%s", (name) => {
  it("accepts a valid request repeatedly over every protocol", async () => {
    const request = requestOf(name);
    for (const protocol of wireProtocols) {
      if (request.method.methodKind === "unary") {
        expect([protocol, await send(protocol, request, request.message)]).toEqual([protocol, { reason: "", fields: [] }]);
      } else {
        const answer = await world.raw.call(protocol, request.method, request.message, {
          authorization: callers[request.by],
          timeoutMs: 50,
        });
        expect([protocol, inShort(answer).reason]).toEqual([protocol, "DEADLINE_EXCEEDED"]);
      }
    }
  });

  it("names every required field that is missing", async () => {
    const request = requestOf(name);
    const required = requiredFields[name] ?? [];
    const empty = { reason: required.length === 0 ? "" : "INVALID_FIELD", fields: required };
    if (request.method.methodKind !== "unary") return;
    for (const protocol of wireProtocols) {
      const answer = await world.raw.call(protocol, request.method, {}, { authorization: callers[request.by], timeoutMs });
      expect([protocol, inShort(answer)]).toEqual([protocol, empty]);
    }
  });

  it("names an unknown value of an enum", async () => {
    expect(await notRefused(name, (spot) => (isEnum(spot) ? [9999, -1, 2_147_483_647] : []))).toEqual([]);
  });

  it("names an invalid coordinate", async () => {
    const none = [91e5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    expect(await notRefused(name, (spot) => (isScalar(spot, ScalarType.DOUBLE) ? none : []))).toEqual([]);
  });

  it("names a count or size out of range", async () => {
    expect(await notRefused(name, (spot) => (isScalar(spot, ScalarType.UINT32) ? [4_294_967_295] : []))).toEqual([]);
  });

  it("names a text that is too long", async () => {
    // The whole message of a stranger has 4,096 bytes at most.
    const long = "x".repeat(openCalls.has(name) ? 3000 : 70_000);
    expect(await notRefused(name, (spot) => (isScalar(spot, ScalarType.STRING) ? [long] : []))).toEqual([]);
  });

  it("names a text with control characters, line breaks or characters that change its direction", async () => {
    const hostile = ["a\u001b[2Jb", "a\nb", "a\u009bb", "a\u202eb", "\u0000"];
    const oneOfThem = (spot: Spot) => (isScalar(spot, ScalarType.STRING) ? textInTurn(hostile) : []);
    expect(await notRefused(name, oneOfThem)).toEqual([]);
  });

  it("names a time or duration out of range", async () => {
    const beyond = [
      { seconds: 10n ** 17n, nanos: 0 },
      { seconds: -(10n ** 17n), nanos: 0 },
      { seconds: 0n, nanos: -1_000_000_000 },
      { seconds: 9_223_372_036_854_775_807n, nanos: 2_147_483_647 },
      { seconds: -9_223_372_036_854_775_808n, nanos: -2_147_483_648 },
    ];
    const timesFor = (spot: Spot) =>
      isTime(spot) && spot.field.message !== undefined
        ? beyond.map((init) => create(spot.field.message as typeof DurationSchema, init))
        : [];
    // JSON cannot express them.
    expect(await notRefused(name, timesFor, ["connect", "grpc", "grpc-web"])).toEqual([]);
  });

  it("names bytes of the wrong length", async () => {
    const lengths = [new Uint8Array(31), new Uint8Array(33)];
    const lengthsFor = (spot: Spot) => (mayBeEmpty.has(spot.path) ? lengths : [new Uint8Array(), ...lengths]);
    expect(await notRefused(name, (spot) => (isScalar(spot, ScalarType.BYTES) ? lengthsFor(spot) : []))).toEqual([]);
  });

  it("refuses JSON with wrong types, negative sizes or unknown names, and names the field where it can", async () => {
    const request = requestOf(name);
    const schema = request.method.input;
    const good = toJson(schema, request.message);
    const wrong: string[] = [];
    for (const spot of spotsOf(schema, request.message)) {
      const { path, jsonPath, field } = spot;
      const values: JsonValue[] = isScalar(spot, ScalarType.UINT32, ScalarType.UINT64) ? [-1, 1.5, "1x", true, {}] : [{ nothing: 1 }, [[]]];
      for (const value of valuesInTurn(values)) {
        const { reason, fields } = await sendJson(request, jsonWith(good, jsonPath, value));
        // The parser names the type of an enum, timestamp or duration instead of the field.
        const isNamed = fields.includes(field.jsonName) || fields.includes(field.name) || fields.includes("nothing");
        const mayBeUnnamed = isEnum(spot) || isTime(spot);
        if (reason !== "MALFORMED_MESSAGE" || !(isNamed || mayBeUnnamed || Array.isArray(value)))
          wrong.push(`${path} ${shown(value)}: ${reason} ${fields}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(await sendJson(request, { ...(good as object), petak: 1 })).toEqual({ reason: "MALFORMED_MESSAGE", fields: ["petak"] });
    for (const none of [null, [], 7, "text", true] as JsonValue[]) {
      expect([none, (await sendJson(request, none)).reason]).toEqual([none, "MALFORMED_MESSAGE"]);
    }
  });

  it("refuses an invalid message, and checks the caller's credentials before it parses the message", async () => {
    const { method, by } = requestOf(name);
    for (const protocol of wireProtocols) {
      const body = bodyOf(callEncodingOf(protocol, method.methodKind !== "unary"), Buffer.from("\xff{\x0a", "latin1"));
      const asked = async (authorization?: string): Promise<Reason | string> =>
        inShort(await world.raw.call(protocol, method, {}, { ...(authorization === undefined ? {} : { authorization }), body, timeoutMs }))
          .reason;
      expect([protocol, await asked(callers[by])]).toEqual([protocol, "MALFORMED_MESSAGE"]);
      const stranger = await world.raw.call(protocol, method, {}, { timeoutMs });
      const refusal = openCalls.has(name)
        ? { reason: "INVALID_FIELD", fields: requiredFields[name] }
        : { reason: "CREDENTIALS_MISSING", fields: [] };
      expect([protocol, inShort(stranger)]).toEqual([protocol, refusal]);
    }
  });
});

/** The calls that need no credentials. */
const openCalls: ReadonlySet<string> = new Set(["AgentService/Enrol"]);

/** The required fields of each request, in the order of the schema. Requests that are not listed have none. */
const requiredFields: Record<string, string[]> = {
  "DirectoryService/FindNearest": ["origin", "parcel"],
  "DirectoryService/GetOperator": ["operator_id"],
  "ParticipantService/SetOperatorLinks": ["request_id", "links"],
  "DirectoryService/GetSite": ["site_id"],
  "DirectoryService/GetAvailability": ["site_ids"],
  "DirectoryService/CheckFit": ["site_ids", "parcel"],
  "DirectoryService/UpsertSites": ["request_id", "sites"],
  "DirectoryService/SetDefaultTerms": ["request_id", "terms"],
  "DirectoryService/ReportCapacity": ["request_id", "sites"],
  "DirectoryService/RetireSites": ["request_id", "site_ids"],
  "ReservationService/Reserve": ["request_id", "parcel", "place"],
  "ReservationService/Confirm": ["request_id", "reservation_id"],
  "ReservationService/Extend": ["request_id", "reservation_id", "until"],
  "ReservationService/Cancel": ["request_id", "reservation_id", "reason"],
  "ReservationService/Redirect": ["request_id", "reservation_id", "reason", "place"],
  "ReservationService/ResolveDoubt": ["request_id", "reservation_id", "outcome"],
  "ReservationService/GetReservation": ["reservation_id"],
  "ReservationService/IssueCredential": ["request_id", "act"],
  "ReservationService/Batch": ["calls"],
  "ReservationService/DelegateCredential": ["request_id", "access_token"],
  "ReservationService/RevokeCredential": ["request_id", "subject"],
  "ReservationService/PutBundle": ["request_id", "reservation_ids"],
  "ReservationService/GetBundle": ["bundle_id"],
  "ReservationService/IssueBundleCredential": ["request_id", "bundle_id"],
  "ReservationService/GetManifest": ["site_ids"],
  "CustodyService/GetCustodyChain": ["reservation_id"],
  "CustodyService/CorrectEvents": ["request_id", "reservation_id", "event_ids", "reason"],
  "CustodyService/CountersignReceipt": ["request_id", "reservation_id", "number", "receipt_hash", "key_id", "signature"],
  "AgentService/Enrol": ["code", "public_key"],
  "AgentService/Boot": ["site_id"],
  "AgentService/Sync": ["site_id"],
  "AgentService/ResolveCode": ["site_id", "code"],
  "AgentService/WatchCommands": ["site_id"],
  "AgentService/ReportEvents": ["site_id"],
  "CommandService/SendCommand": ["request_id", "site_id", "type", "reason", "signature"],
  "CommandService/ApproveCommand": ["request_id", "command_id", "signature"],
  "CommandService/GetCommand": ["command_id"],
  "CommandService/ListCommands": ["site_id"],
  "CommandService/AllowCommandKey": ["request_id", "key_id", "label", "signature"],
  "ParticipantService/CreateParticipant": ["request_id", "display_name", "roles"],
  "ParticipantService/RegisterKey": ["request_id", "public_key", "mode"],
  "ParticipantService/SetParticipantLimits": ["request_id", "participant_id"],
  "ParticipantService/RevokeKey": ["request_id", "key_id"],
  "ParticipantService/CreateEnrolmentCode": ["request_id", "site_id"],
  "ParticipantService/ListEnrolments": ["site_id"],
  "ParticipantService/RevokeEnrolment": ["request_id", "enrolment_id"],
  "ParticipantService/TakeOverSite": ["request_id", "site_id", "key_id"],
  "ParticipantService/RotatePins": ["request_id", "site_id"],
  "ParticipantService/ListReportsKeptApart": ["site_id"],
  "ParticipantService/CreatePublishableKey": ["request_id", "mode", "origins"],
  "WebhookService/CreateEndpoint": ["request_id", "url"],
  "WebhookService/GetEndpoint": ["endpoint_id"],
  "WebhookService/UpdateEndpoint": ["request_id", "endpoint_id"],
  "WebhookService/RotateEndpointKey": ["request_id", "endpoint_id"],
  "WebhookService/TestEndpoint": ["request_id", "endpoint_id"],
  "WebhookService/ReplayEvents": ["request_id", "endpoint_id"],
  "WebhookService/DeleteEndpoint": ["request_id", "endpoint_id"],
};
