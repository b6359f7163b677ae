import { base64url, sha256 } from "../signing.ts";
import { type Chain, firstKey, hashOf, type Json, newLife, otherReservationId, strangerKey } from "./chain-scene.ts";
import { type ChainVector, changed, type Fault, vector, whole } from "./chains.ts";
import { asOfMs, type StatementOptions, stated } from "./statement-scene.ts";

/** A vector whose statement is the issuer's. */
function standing(id: string, shows: string, chain: Chain, faults: Fault[] = [], atMs = asOfMs): ChainVector {
  return vector(id, shows, chain, faults, { as_of_ms: atMs });
}

/** A vector whose statement is worth nothing. */
function unsaid(id: string, shows: string, chain: Chain, code: string): ChainVector {
  return vector(id, shows, chain, [[code, null]]);
}

/** The chain of a whole life, stated, with a change of what GetCustodyChain answered. */
const falsified = (change: (chain: Chain) => void, options: StatementOptions = {}) => changed(change, stated(whole(), options));

/** A life with events between its hand-overs, which no receipt has. */
function doubted(): Chain {
  const life = newLife();
  life.held();
  life.confirmed();
  life.deposited();
  life.doubted();
  life.resolved("RECALLED");
  return life.chain();
}

/** The same, where the doubt says why: a collection with a credential that was never issued. */
const withReason = () =>
  changed(
    ({ events }) =>
      Object.assign(events[3] ?? {}, {
        doubtReason: "DOUBT_REASON_CREDENTIAL_NOT_ISSUED",
        reportedType: "EVENT_TYPE_PARCEL_COLLECTED",
      }),
    doubted(),
  );

/** A life that has not come farther than the deposit. */
function deposited(): Chain {
  const life = newLife();
  life.held();
  life.confirmed();
  life.deposited();
  return life.chain();
}

function held(): Chain {
  const life = newLife();
  life.held();
  return life.chain();
}

/** The first event with everything that an event can say, which the first of a life does not. */
function withEverything(): Chain {
  return changed(({ events: [event = {}] }) => {
    Object.assign(event, {
      proof: {
        kind: "PROOF_KIND_PIN",
        credentialHash: hashOf("a credential"),
        refusal: "PIN_WRONG",
        parentCredentialHash: hashOf("another"),
      },
      cancellationReason: "CANCELLATION_REASON_OTHER",
      relatedReservationId: otherReservationId,
      feedNumber: "7",
      bundleId: "bdl_83652b_5t8yq2m4p9w7z3x1",
      partnerReference: "Bücher 📦 \u0001\u007f\u2028",
      cloudEvent: {
        specversion: "1.0",
        id: event.eventId,
        source: "urn:petak:gateway:x",
        type: "t",
        subject: "s",
        time: "t",
        dataschema: "d",
        sequence: "7",
      },
      occurredAtUtcOffset: "-1.500s",
      correction: { eventIds: [event.eventId, "evt_2"], reason: "CORRECTION_REASON_OTHER", occurredAt: "2026-11-24T12:00:00.120000001Z" },
      webhookEndpointId: "whe_0",
      feeDue: { currencyCode: "SGD", units: "1", nanos: 500_000_000 },
      overflowFallback: "OVERFLOW_FALLBACK_ASK_CONSUMER",
    });
  });
}

/** A whole life with an event that stands for several refusals at a door. */
function withRefusals(): Chain {
  return changed(({ events }) => {
    const [before, deposited] = [events[1], events[2]];
    events.splice(2, 0, {
      ...before,
      eventId: "evt_83652b_q7w3t5z100000009",
      type: "EVENT_TYPE_DOOR_REFUSED",
      actor: deposited?.actor,
      occurredAt: "2026-11-24T14:30:59.250Z",
      recordedAt: "2026-11-24T14:31:00.000Z",
      stateBefore: before?.stateAfter,
      proof: { kind: "PROOF_KIND_ACCESS_TOKEN", credentialHash: hashOf("a credential"), refusal: "SPENT", deviceSequence: "40" },
      refusals: { count: 412, firstAt: "2026-11-24T14:30:00Z", lastAt: "2026-11-24T14:30:59.250Z" },
      receipt: undefined,
    });
  });
}

const swap = (list: unknown[], left: number, right: number) => {
  [list[left], list[right]] = [list[right], list[left]];
};

const olderJws = stated(deposited(), { atMs: asOfMs - 1 }).statement;

/** How a chain is stated to stand, and chains that do not stand so. */
export const statements: ChainVector[] = [
  standing("complete", "A whole life, complete as of the statement.", stated(whole())),
  standing("complete-held", "A reservation without receipts.", stated(held())),
  standing("complete-between", "With an event that no receipt has.", stated(doubted())),
  standing("complete-everything", "An event that says everything that events can say.", stated(withEverything())),
  standing("complete-refusals", "An event that stands for 412 refusals at a door.", stated(withRefusals())),
  standing(
    "refusals-changed",
    "An event that stands for 412 refusals says that there were 2.",
    changed(({ events }) => Object.assign((events[2]?.refusals ?? {}) as Json, { count: 2 }), stated(withRefusals())),
    [["EVENT_DIFFERS", null]],
  ),
  standing(
    "refusals-removed",
    "An event that stands for 412 refusals stands for one.",
    changed(({ events }) => void delete events[2]?.refusals, stated(withRefusals())),
    [["EVENT_DIFFERS", null]],
  ),
  standing("complete-invented", "A doubt about a collection with a credential that was never issued.", stated(withReason())),
  standing(
    "doubt-changed",
    "A doubt about a credential that was never issued says that the agent reported it.",
    changed(({ events }) => Object.assign(events[3] ?? {}, { doubtReason: "DOUBT_REASON_REPORTED" }), stated(withReason())),
    [["EVENT_DIFFERS", null]],
  ),
  standing("complete-earlier", "Fifty-seven events are not listed.", stated(whole(), { earlier: 57 })),
  standing(
    "complete-then",
    "An older answer: complete as of then.",
    { ...deposited(), ...(olderJws && { statement: olderJws }) },
    [],
    asOfMs - 1,
  ),
  standing(
    "cut",
    "The last receipt and event were cut off, and the reservation was set back: only the statement shows it.",
    { ...deposited(), statement: stated(whole()).statement as NonNullable<Chain["statement"]> },
    [
      ["MISSING", 3],
      ["HEAD", 3],
      ["STATE_DIFFERS", null],
      ["EVENT_MISSING", null],
    ],
  ),
  standing(
    "cut-twice",
    "The last two were cut off.",
    {
      ...changed(({ events, receipts, reservation }) => {
        events.splice(2);
        receipts.splice(1);
        Object.assign(reservation, {
          state: "RESERVATION_STATE_CONFIRMED",
          revision: 2,
          chain: { length: 1, lastHash: receipts[0]?.hash },
        });
      }),
      statement: stated(whole()).statement as NonNullable<Chain["statement"]>,
    },
    [
      ["MISSING", 2],
      ["MISSING", 3],
      ["HEAD", 3],
      ["STATE_DIFFERS", null],
      ["EVENT_MISSING", null],
    ],
  ),
  vector("cut-unstated", "The same without the statement: nothing is wrong with it, and it is not shown to be complete.", deposited()),
  standing(
    "older",
    "The statement is older than the chain.",
    { ...whole(), ...(olderJws && { statement: olderJws }) },
    [
      ["HEAD", 2],
      ["HEAD", 3],
      ["STATE_DIFFERS", null],
      ["EVENT_ADDED", null],
    ],
    asOfMs - 1,
  ),
  standing(
    "state",
    "The reservation says another revision.",
    falsified(({ reservation }) => Object.assign(reservation, { revision: 9 })),
    [["STATE_DIFFERS", null]],
  ),
  standing(
    "last-receipt",
    "The statement names another last receipt than there is.",
    stated(whole(), { claims: (claims) => Object.assign(claims, { last_receipt: hashOf("x") }) }),
    [["HEAD", 3]],
  ),
  standing(
    "event-changed",
    "An event that no receipt has says another door.",
    changed(({ events }) => Object.assign((events[3]?.proof ?? {}) as Json, { compartmentId: "M-4" }), stated(doubted())),
    [["EVENT_DIFFERS", null]],
  ),
  standing(
    "event-time",
    "A time is another by a billionth of a second.",
    changed(
      ({ events }) => Object.assign(events[3] ?? {}, { recordedAt: String(events[3]?.recordedAt).replace("Z", "000001Z") }),
      stated(doubted()),
    ),
    [["EVENT_DIFFERS", null]],
  ),
  standing(
    "event-removed",
    "An event that no receipt has is missing, and the one behind it was changed to follow the one before.",
    changed(({ events }) => {
      events.splice(3, 1);
      Object.assign(events[3] ?? {}, { stateBefore: "RESERVATION_STATE_DEPOSITED" });
    }, stated(doubted())),
    [
      ["EVENT_DIFFERS", 3],
      ["EVENT_DIFFERS", null],
      ["EVENT_MISSING", null],
    ],
  ),
  standing(
    "event-first-removed",
    "The first event is missing.",
    falsified(({ events }) => void events.splice(0, 1)),
    [["EVENT_MISSING", null]],
  ),
  standing(
    "events-swapped",
    "Two events are swapped.",
    falsified(({ events }) => swap(events, 0, 1)),
    [["EVENT_ORDER", null]],
  ),
  standing(
    "event-added",
    "An event was added that changes nothing.",
    changed(
      ({ events }) =>
        void events.splice(2, 0, {
          ...events[1],
          eventId: "evt_83652b_0000000000000000",
          type: "EVENT_TYPE_DOOR_REFUSED",
          stateBefore: events[1]?.stateAfter,
          receipt: undefined,
        }),
      stated(whole()),
    ),
    [["EVENT_ADDED", null]],
  ),
  standing(
    "event-twice",
    "An event appears twice.",
    changed(({ events }) => void events.splice(4, 0, events[3] as Json), stated(withDoorOpened())),
    [["EVENT_ADDED", null]],
  ),
  standing(
    "hashes-changed",
    "The hashes beside the statement are not those that it has.",
    falsified(({ statement }) => Object.assign(statement ?? {}, { eventHashes: sha256("x").toString("base64") })),
    [["EVENT_HASHES", null]],
  ),
  standing(
    "hashes-and-event",
    "The hashes are missing and an event was changed; it is unknown which.",
    falsified(({ statement, events: [event] }) => {
      Object.assign(statement ?? {}, { eventHashes: "" });
      Object.assign(event ?? {}, { siteId: "site_83652b_k3v9c0x2md00004m" });
    }),
    [
      ["EVENT_HASHES", null],
      ["EVENT_DIFFERS", null],
    ],
  ),
  unsaid(
    "claim-changed",
    "The statement was changed after it was signed.",
    falsified(({ statement }) => {
      const [header = "", claims = "", signature = ""] = (statement?.jws ?? "").split(".");
      const text = JSON.stringify({ ...JSON.parse(Buffer.from(claims, "base64url").toString()), receipts: 2 });
      Object.assign(statement ?? {}, { jws: `${header}.${base64url(text)}.${signature}` });
    }),
    "SIGNATURE",
  ),
  unsaid(
    "other-key",
    "Somebody else signed it, under the issuer's key id.",
    stated(whole(), { issuer: strangerKey, kid: firstKey.keyId }),
    "SIGNATURE",
  ),
  unsaid("issuer-unknown", "No key has the id.", stated(whole(), { issuer: strangerKey }), "ISSUER_UNKNOWN"),
  standing("issuer-late", "The first key signed it after it had ended.", stated(whole(), { issuer: firstKey }), [["ISSUER_TIME", null]]),
  unsaid(
    "type-receipt",
    "A receipt is not a statement.",
    falsified((chain) => Object.assign(chain.statement ?? {}, { jws: chain.receipts[2]?.jws })),
    "MALFORMED",
  ),
  unsaid("type-other", "A statement of another type is refused.", stated(whole(), { typ: "petak-receipt" }), "MALFORMED"),
  unsaid(
    "unknown-claim",
    "An unknown claim is refused.",
    stated(whole(), { claims: (claims) => Object.assign(claims, { more: 1 }) }),
    "MALFORMED",
  ),
  unsaid(
    "version",
    "Another version is another layout.",
    stated(whole(), { claims: (claims) => Object.assign(claims, { version: 2 }) }),
    "MALFORMED",
  ),
  unsaid(
    "empty",
    "An empty statement is refused.",
    falsified((chain) => Object.assign(chain, { statement: {} })),
    "MALFORMED",
  ),
  unsaid(
    "other-chain",
    "A statement of another reservation.",
    stated(whole(), { claims: (claims) => Object.assign(claims, { reservation_id: otherReservationId }) }),
    "OTHER_CHAIN",
  ),
];

/** A life with an event that changes no state, so that it could stand there twice. */
function withDoorOpened(): Chain {
  return changed(({ events }) => {
    const { receipt: _, ...event } = events[2] as Json;
    events.push({ ...event, eventId: "evt_83652b_0000000000000001", type: "EVENT_TYPE_DOOR_OPENED", stateBefore: event.stateAfter });
  }, deposited());
}
