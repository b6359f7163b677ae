import { clone, create, toJson } from "@bufbuild/protobuf";
import { signChainStatement } from "@petak/credential";
import {
  ChainHeadSchema,
  type ChainStatement,
  type Event,
  type GetCustodyChainResponse,
  GetCustodyChainResponseSchema,
  type Reservation,
  ReservationState,
} from "@petak/protocol";
import { roundsHere } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { leavesOf, parsed, turned, withChanged } from "./changed-json.ts";
import { endings, issuerAt, makeLifeKeys, randomChain } from "./random-life.ts";
import { changed, useLives } from "./use-lives.ts";

const schema = GetCustodyChainResponseSchema;
const lives = useLives();
const { verdictOf, faultsOf } = lives;
const wholeChain = (ending?: number) => lives.wholeChain({ ending });

/** The chain as it stood after fewer events: unsigned parts are reset, and only the statement is left unchanged. */
function cutAfter(chain: GetCustodyChainResponse, eventCount: number): GetCustodyChainResponse {
  return changed(chain, (copy) => {
    copy.events.splice(eventCount);
    const last = copy.events.at(-1) as Event;
    copy.receipts = copy.receipts.filter((_, index) => copy.events.some(({ receipt }) => receipt?.number === index + 1));
    const receipt = copy.receipts.at(-1);
    const { chain: _, ...reservation } = copy.reservation as Reservation;
    const back = { ...reservation, state: last.stateAfter, revision: last.reservationRevision };
    copy.reservation =
      receipt === undefined ? back : { ...back, chain: create(ChainHeadSchema, { length: receipt.number, lastHash: receipt.hash }) };
  });
}

/** The chain with another statement. */
const withStatement = (chain: GetCustodyChainResponse, statement: ChainStatement) => create(schema, { ...chain, statement });

describe("a chain whose end was cut off", () => {
  it("is detected at every cut, and every missing receipt and event is named", async () => {
    for (let ending = 0; ending < endings; ending += 1) {
      const chain = await wholeChain(ending);
      for (let count = 1; count < chain.events.length; count += 1) {
        const cut = cutAfter(chain, count);
        const faults = await faultsOf(cut);
        const named = (code: string) => faults.filter((fault) => fault.code === code);
        expect(named("MISSING").map(({ link }) => link)).toEqual(chain.receipts.slice(cut.receipts.length).map(({ number }) => number));
        expect(named("EVENT_MISSING").map(({ message }) => message.split(" ").slice(0, 5).join(" "))).toEqual(
          Array.from({ length: chain.events.length - count }, (_, index) => `event ${count + index + 1} of the ${chain.events.length}`),
        );
        if (cut.receipts.length < chain.receipts.length) expect(named("HEAD").map(({ link }) => link)).toEqual([chain.receipts.length]);
        const isSameState =
          cut.reservation?.state === chain.reservation?.state && cut.reservation?.revision === chain.reservation?.revision;
        expect(named("STATE_DIFFERS")).toHaveLength(isSameState ? 0 : 1);
      }
    }
  });

  it("is valid but not proven complete if the statement is removed with it", async () => {
    const chain = await wholeChain(0);
    for (let count = 1; count <= chain.events.length; count += 1) {
      const cut = cutAfter(chain, count);
      delete cut.statement;
      expect(await verdictOf(cut)).toMatchObject({ faults: [], statement: undefined });
    }
  });

  it("is complete as of the statement made at that time, and not as of a later or earlier one", async () => {
    const chain = await wholeChain(0);
    const { reservation, events } = cutAfter(chain, chain.events.length - 1);
    const asOfMs = Number(events.at(-1)?.recordedAt?.seconds) * 1000 + 1000;
    const then = await stated({ reservation: reservation as Reservation, events, asOfMs });
    const old = withStatement(cutAfter(chain, chain.events.length - 1), then);
    const verdict = await verdictOf(old);
    expect(verdict).toMatchObject({ faults: [], statement: { as_of_ms: asOfMs } });
    const newer = withStatement(chain, then);
    expect((await faultsOf(newer)).map(({ code }) => code)).toEqual(expect.arrayContaining(["HEAD", "STATE_DIFFERS", "EVENT_ADDED"]));
  });
});

async function stated(
  chain: { reservation: Reservation; events: readonly Event[]; asOfMs: number; earlierCount?: number },
  issuer = issuerAt(lives.keys, chain.asOfMs),
): Promise<ChainStatement> {
  return await signChainStatement({ earlierCount: 0, ...chain }, issuer);
}

describe("a statement", () => {
  it("is invalid if any of its characters is changed", async () => {
    const chain = await wholeChain();
    const { jws = "" } = chain.statement ?? {};
    for (let at = 0; at < jws.length; at += 1) {
      const tampered = changed(chain, ({ statement }) => {
        if (statement !== undefined) statement.jws = turned(lives.random, jws, at);
      });
      const { faults, statement } = await verdictOf(tampered);
      expect(statement).toBeUndefined();
      expect(faults).toEqual([expect.objectContaining({ message: expect.stringContaining("the statement") })]);
    }
  });

  it("is invalid if any byte of the event hashes is changed or they are truncated", async () => {
    const chain = await wholeChain();
    const { length = 0 } = chain.statement?.eventHashes ?? {};
    for (let at = 0; at < length; at += 1) {
      const turnedHashes = changed(chain, ({ statement }) => {
        if (statement !== undefined) statement.eventHashes[at] = (statement.eventHashes[at] ?? 0) ^ 1;
      });
      expect((await faultsOf(turnedHashes)).map(({ code }) => code)).toEqual(["EVENT_HASHES"]);
      const cutHashes = changed(chain, ({ statement }) => {
        if (statement !== undefined) statement.eventHashes = statement.eventHashes.slice(0, at);
      });
      expect((await faultsOf(cutHashes)).map(({ code }) => code)).toEqual(["EVENT_HASHES"]);
    }
    const both = changed(chain, ({ statement, events: [event] }) => {
      statement?.eventHashes.fill(0);
      if (event !== undefined) event.partnerReference = "another";
    });
    expect((await faultsOf(both)).map(({ code }) => code)).toEqual(expect.arrayContaining(["EVENT_HASHES", "EVENT_DIFFERS"]));
  });

  it("is invalid if it was signed by somebody else, at another time or for another reservation", async () => {
    const [chain, other] = [await wholeChain(), await wholeChain()];
    const { reservation, events } = chain;
    const standing = { reservation: reservation as Reservation, events, asOfMs: 0 };
    const stranger = await makeLifeKeys();
    const [first, second] = lives.keys.issuers;
    const codesWith = async (statement: ChainStatement) => {
      const verdict = await verdictOf(withStatement(chain, statement));
      return verdict.faults.map(({ code, link }) => [code, link]);
    };
    expect(await codesWith(await stated(standing, { ...stranger.issuers[0], keyId: first.keyId }))).toEqual([["SIGNATURE", undefined]]);
    expect(await codesWith(await stated(standing, stranger.issuers[0]))).toEqual([["ISSUER_UNKNOWN", undefined]]);
    expect(await codesWith(await stated(standing, second))).toEqual([["ISSUER_TIME", undefined]]);
    expect(await codesWith(other.statement as ChainStatement)).toEqual([["OTHER_CHAIN", undefined]]);
    expect(await codesWith({ ...(chain.statement as ChainStatement), jws: chain.receipts[0]?.jws ?? "" })).toEqual([
      ["MALFORMED", undefined],
    ]);
  });

  it("reveals any other state and revision", async () => {
    const chain = await wholeChain();
    for (const state of Object.values(ReservationState).filter(
      (value) => typeof value === "number" && value !== chain.reservation?.state,
    )) {
      const tampered = changed(chain, ({ reservation }) => void Object.assign(reservation ?? {}, { state }));
      expect((await faultsOf(tampered)).map(({ code }) => code)).toContain("STATE_DIFFERS");
    }
    const older = changed(chain, ({ reservation }) => void Object.assign(reservation ?? {}, { revision: 1 }));
    expect((await faultsOf(older)).map(({ code }) => code)).toEqual(["STATE_DIFFERS"]);
  });

  it("says how many events are not listed", async () => {
    const chain = await wholeChain();
    const { reservation, events } = chain;
    const late = await stated({ reservation: reservation as Reservation, events, asOfMs: Date.now(), earlierCount: 57 });
    const verdict = await verdictOf(withStatement(chain, late));
    expect(verdict).toMatchObject({ faults: [], statement: { first_event: 58, events: 57 + events.length } });
  });
});

describe("an event, with or without a hand-over", () => {
  it("is named if any of its values is changed", async () => {
    const chain = await wholeChain(2);
    const json = toJson(schema, chain);
    let count = 0;
    for (const path of leavesOf(json)) {
      const [list, index, member] = path;
      if (list !== "events" || member === "receipt") continue;
      const tampered = parsed(schema, withChanged(lives.random, json, path));
      // A change that no longer parses is found by every reader.
      if (tampered === undefined) continue;
      const { eventId } = tampered.events[index as number] as Event;
      const found = (await faultsOf(tampered)).filter((fault) => fault.eventId === eventId && fault.link === undefined);
      expect([path.join("."), found.map(({ code }) => code)]).toEqual([path.join("."), expect.arrayContaining(["EVENT_DIFFERS"])]);
      count += 1;
    }
    expect(count).toBeGreaterThan(10 * chain.events.length);
  });

  it("is named if one of its times is changed by one nanosecond", async () => {
    const chain = await wholeChain();
    for (const name of ["occurredAt", "recordedAt", "occurredAtUtcOffset"] as const) {
      const tampered = changed(
        chain,
        ({ events: [event] }) => void Object.assign(event?.[name] ?? {}, { nanos: (event?.[name]?.nanos ?? 0) + 1 }),
      );
      expect((await faultsOf(tampered)).map(({ code, eventId }) => [code, eventId])).toEqual([["EVENT_DIFFERS", chain.events[0]?.eventId]]);
    }
  });

  it("is named if it is missing, alone or with its neighbours", async () => {
    const chain = await wholeChain(2);
    const { length } = chain.events;
    for (let from = 0; from < length; from += 1) {
      for (let to = from + 1; to <= length && to - from < length; to += 1) {
        const tampered = changed(chain, ({ events }) => void events.splice(from, to - from));
        const missing = (await faultsOf(tampered)).filter(({ code, link }) => code === "EVENT_MISSING" && link === undefined);
        expect(missing.map(({ message }) => Number(message.split(" ")[1]))).toEqual(
          Array.from({ length: to - from }, (_, index) => from + index + 1),
        );
      }
    }
  });

  it("is named if it is swapped with any other", async () => {
    const chain = await wholeChain(2);
    const { length } = chain.events;
    for (let left = 0; left < length - 1; left += 1) {
      for (let right = left + 1; right < length; right += 1) {
        const tampered = changed(chain, ({ events }) => {
          [events[left], events[right]] = [events[right] as Event, events[left] as Event];
        });
        const faults = await faultsOf(tampered);
        expect(new Set(faults.map(({ code }) => code))).toEqual(new Set(["EVENT_ORDER"]));
        expect(faults.map(({ eventId }) => eventId)).toContain(chain.events[left]?.eventId);
        expect(faults.map(({ message }) => message).join()).toContain(`is placed after the event ${chain.events[right]?.eventId}`);
      }
    }
  });

  it("is named if it appears twice or never happened", async () => {
    const [chain, other] = [await wholeChain(2), await wholeChain(2)];
    for (let at = 0; at <= chain.events.length; at += 1) {
      const source = lives.random.pick(chain.events);
      const again = changed(
        chain,
        ({ events }) => void events.splice(at, 0, clone(schema, chain).events[chain.events.indexOf(source)] as Event),
      );
      expect((await faultsOf(again)).filter(({ code }) => code === "EVENT_ADDED").map(({ eventId }) => eventId)).toEqual([source.eventId]);
      const foreign = lives.random.pick(other.events);
      const added = changed(chain, ({ events }) => void events.splice(at, 0, foreign));
      expect((await faultsOf(added)).filter(({ code }) => code === "EVENT_ADDED").map(({ eventId }) => eventId)).toEqual([foreign.eventId]);
    }
  });

  it("is not reported in any valid chain", async () => {
    for (let life = 0; life < roundsHere({ short: 20, ci: 60 }); life += 1) {
      const { faults, statement } = await verdictOf(await randomChain(lives.random, lives.keys));
      expect(faults).toEqual([]);
      expect(statement?.first_event).toBe(1);
    }
  });
});
