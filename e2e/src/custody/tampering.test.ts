import { equals, fromJson, toJson } from "@bufbuild/protobuf";
import { receiptOf, signReceipt } from "@petak/credential";
import { type GetCustodyChainResponse, GetCustodyChainResponseSchema, type Receipt } from "@petak/protocol";
import { roundsHere } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { leavesOf, parsed, turned, withChanged } from "./changed-json.ts";
import { endings, makeLifeKeys, randomChain } from "./random-life.ts";
import { changed, useLives } from "./use-lives.ts";

const schema = GetCustodyChainResponseSchema;
const lives = useLives();
const { faultsOf, verdictOf } = lives;
/** How many characters of a receipt lie between two that are turned, one after another. */
const everyNth = roundsHere({ short: 10, ci: 1 });
const wholeChain = () => lives.wholeChain({ linksMin: 3 });

/** Verifies a tampered chain and expects faults at the named links only, and only with the named codes. */
async function expectFound(chain: GetCustodyChainResponse, { links, codes }: { links?: number[]; codes?: string[] }): Promise<void> {
  const faults = await faultsOf(chain);
  expect(faults).not.toEqual([]);
  for (const link of links ?? []) expect(faults.map((fault) => fault.link)).toContain(link);
  for (const code of codes ?? []) expect(faults.map((fault) => fault.code)).toContain(code);
  for (const { message } of faults) expect(message).not.toBe("");
}

describe("a valid chain", () => {
  it("has no faults, whatever its life and position, also after conversion to JSON and back", async () => {
    const seen = new Set<string>();
    for (let life = 0; life < roundsHere({ short: 40, ci: 150 }); life += 1) {
      // The first lives are whole and cover every ending.
      const chain = await randomChain(lives.random, lives.keys, life < 2 * endings ? { mayEndEarly: false, ending: life % endings } : {});
      expect(await faultsOf(chain)).toEqual([]);
      expect(await faultsOf(fromJson(schema, toJson(schema, chain)))).toEqual([]);
      const { links } = await verdictOf(chain);
      for (const { claims } of links) seen.add(claims.act);
    }
    expect([...seen].sort()).toEqual(["COLLECTED", "COUNTERSIGNED", "DEPOSITED", "NO_PARCEL", "RECALLED", "RESERVED"]);
  });
});

describe("a changed byte is found and its link named", () => {
  it("in every character of every receipt", async () => {
    const { statement: _, ...chain } = await wholeChain();
    for (const [index, { jws, number }] of chain.receipts.entries()) {
      for (let at = lives.random.int(0, everyNth - 1); at < jws.length; at += everyNth) {
        const tampered = changed(chain, ({ receipts }) => {
          (receipts[index] as Receipt).jws = turned(lives.random, jws, at);
        });
        await expectFound(tampered, { links: [number] });
      }
    }
  });

  it("in every signed value of the events, of the data of their receipts, and of the chain's end", {
    timeout: 300_000,
  }, async () => {
    const chain = await wholeChain();
    const json = toJson(schema, chain);
    const numbers = new Map(chain.events.map(({ receipt }, index) => [index, receipt?.number]));
    for (const path of leavesOf(json)) {
      const [list, index] = path;
      // What the gateway adds to an event without recording it is covered by the statement alone: completeness.test.ts changes it.
      const isAdded = path[2] === "cloudEvent" || path[2] === "occurredAtUtcOffset";
      const isSigned = list === "events" && !isAdded && numbers.get(index as number) !== undefined;
      const isEnd = list === "reservation" && path[1] === "chain";
      const isStated = list === "receipts";
      if (!isSigned && !isEnd && !isStated) continue;
      const tampered = parsed(schema, withChanged(lives.random, json, path));
      // A change that no longer parses is found by every reader.
      if (tampered === undefined) continue;
      // The last character of base64 has unused bits: a change that leaves the bytes equal is no change.
      if (equals(schema, tampered, fromJson(schema, json))) continue;
      const faults = await faultsOf(tampered);
      expect([path.join("."), faults.length]).not.toEqual([path.join("."), 0]);
      if (isSigned)
        expect([path.join("."), faults.map(({ link }) => link)]).toEqual([
          path.join("."),
          expect.arrayContaining([numbers.get(index as number)]),
        ]);
    }
  });

  it.each(["siteId", "operatorId", "participantId", "partnerReference"] as const)("in the reservation's %s", async (name) => {
    const chain = await wholeChain();
    await expectFound(
      changed(chain, ({ reservation }) => {
        if (reservation !== undefined) reservation[name] = `${reservation[name]}x`;
      }),
      { links: [1], codes: ["RESERVATION_DIFFERS"] },
    );
  });
});

describe("the order of links", () => {
  it("is found if any link is missing", async () => {
    const chain = await wholeChain();
    for (const { number } of chain.receipts) {
      const tampered = changed(chain, (copy) => {
        copy.receipts = copy.receipts.filter((receipt) => receipt.number !== number);
      });
      await expectFound(tampered, { links: [number], codes: ["MISSING"] });
      // The same without its event.
      tampered.events = tampered.events.filter(({ receipt }) => receipt?.number !== number);
      await expectFound(tampered, { links: [number], codes: ["MISSING"] });
    }
  });

  it("is found if any two are swapped", async () => {
    const chain = await wholeChain();
    const last = chain.receipts.length - 1;
    for (let left = 0; left < last; left += 1) {
      for (let right = left + 1; right <= last; right += 1) {
        const tampered = changed(chain, ({ receipts }) => {
          [receipts[left], receipts[right]] = [receipts[right] as Receipt, receipts[left] as Receipt];
        });
        const faults = await faultsOf(tampered);
        expect(new Set(faults.map(({ code }) => code))).toEqual(new Set(["ORDER"]));
        expect(faults.map(({ link }) => link)).toContain(left + 1);
      }
    }
  });

  it("is found if a link appears twice", async () => {
    const chain = await wholeChain();
    for (const receipt of chain.receipts) {
      const tampered = changed(chain, ({ receipts }) => void receipts.splice(lives.random.int(0, receipts.length), 0, receipt));
      await expectFound(tampered, { links: [receipt.number], codes: ["ORDER"] });
    }
  });

  it("is found if the end is cut off, unless the reservation was changed to match", async () => {
    const chain = await wholeChain();
    for (let length = 0; length < chain.receipts.length; length += 1) {
      const tampered = changed(chain, (copy) => {
        copy.receipts.splice(length);
      });
      await expectFound(tampered, { links: [length + 1], codes: ["MISSING"] });
    }
  });
});

describe("data signed by another party", () => {
  it("is found if a link of another reservation replaces a link or is inserted between two", async () => {
    const [chain, other] = [await wholeChain(), await wholeChain()];
    for (const [index, { number }] of chain.receipts.entries()) {
      const foreign = other.receipts[index % other.receipts.length] as Receipt;
      const replaced = changed(chain, ({ receipts }) => void receipts.splice(index, 1, foreign));
      await expectFound(replaced, { links: [number, foreign.number], codes: ["OTHER_CHAIN", "MISSING"] });
      const added = changed(chain, ({ receipts }) => void receipts.splice(index, 0, foreign));
      await expectFound(added, { links: [foreign.number], codes: ["OTHER_CHAIN"] });
    }
  });

  it("is found if somebody else made the receipt with a key of the same id", async () => {
    const chain = await wholeChain();
    const stranger = await makeLifeKeys();
    for (const [index, event] of chain.events.entries()) {
      const { receipt } = event;
      if (receipt === undefined) continue;
      const { eventReceipt } = await signReceipt(event, receipt, { ...stranger.issuers[0], keyId: receipt.issuerKeyId });
      const forged = await receiptOf(event, eventReceipt);
      const tampered = changed(chain, ({ receipts, events }) => {
        receipts[receipt.number - 1] = forged;
        events[index] = { ...event, receipt: eventReceipt };
      });
      await expectFound(tampered, { links: [receipt.number], codes: ["SIGNATURE"] });
    }
  });

  it("is found if an issuer's key signed outside its period or is unknown", async () => {
    const chain = await wholeChain();
    const swapped = lives.keys.periods.map((period) => ({ ...period, signsFromMs: 0, signsUntilMs: 1 }));
    const late = await verdictOf(chain, swapped);
    expect(late.faults.map(({ code, link }) => [code, link])).toEqual([
      ...chain.receipts.map(({ number }) => ["ISSUER_TIME", number]),
      ["ISSUER_TIME", undefined],
    ]);
    const unknown = await verdictOf(chain, []);
    expect(unknown.links).toEqual([]);
    expect(unknown.statement).toBeUndefined();
    expect(unknown.faults.filter(({ code }) => code === "ISSUER_UNKNOWN").map(({ link }) => link)).toEqual([
      ...chain.receipts.map(({ number }) => number),
      undefined,
    ]);
  });

  it("is found if an issuer signs a report or a countersignature in place of its owner", async () => {
    const chain = await wholeChain();
    const found = new Set<string>();
    for (const [index, event] of chain.events.entries()) {
      const { receipt } = event;
      const side = receipt?.report ?? receipt?.countersignature;
      if (receipt === undefined || side === undefined) continue;
      side.signature = Uint8Array.from(side.signature, (byte) => byte ^ 1);
      const issuer = lives.keys.issuers.find(({ keyId }) => keyId === receipt.issuerKeyId);
      if (issuer === undefined) throw new Error("no issuer");
      const { eventReceipt } = await signReceipt(event, receipt, issuer);
      const signed = await receiptOf(event, eventReceipt);
      const tampered = changed(chain, ({ receipts, events }) => {
        receipts[receipt.number - 1] = signed;
        events[index] = { ...event, receipt: eventReceipt };
      });
      const faults = (await faultsOf(tampered)).filter(({ link, code }) => link === receipt.number && code.endsWith("SIGNATURE"));
      expect(faults).toHaveLength(1);
      found.add(faults[0]?.code ?? "");
    }
    expect(found.size).toBeGreaterThan(0);
  });
});
