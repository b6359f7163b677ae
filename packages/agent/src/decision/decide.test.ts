import { readFile } from "node:fs/promises";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createTrustBundle, generateIssuerKey, hashPin, type IssuerKeyPair, mintAccessToken, newTokenId } from "@petak/credential";
import { Act, AllowanceSchema, newReservationId, ProofKind, ReservationState, SiteLifecycle } from "@petak/protocol";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { decide } from "./decide.ts";
import { noLockOut } from "./lock-out.ts";
import { type DoorRefusal, doorRefusals, personRefusal } from "./refusals.ts";
import type { DoorSnapshot } from "./snapshot.ts";

const nowMs = Date.UTC(2026, 10, 24, 12);
const siteId = "site_83652b_k3v9c0x2md00004k";
const reservationId = newReservationId("83652b");
const pinKey = new Uint8Array(32).fill(5);
const pin = "40404040";
const compartment = { sizeClassId: "S", condition: "OK", reservationId: "", door: "CLOSED", occupancy: "EMPTY" } as const;
let issuerKey: IssuerKeyPair;
let snapshot: DoorSnapshot;

beforeAll(async () => {
  issuerKey = await generateIssuerKey();
  snapshot = {
    siteId,
    service: { lifecycle: SiteLifecycle.ACTIVE, draining: false },
    sizeClassIds: ["S", "L"],
    trustBundle: createTrustBundle({ version: 1n, keys: [issuerKey], issuedAtMs: nowMs, notAfterMs: nowMs + 86_400_000 }),
    pinKey,
    allowances: [
      create(AllowanceSchema, {
        reservationId,
        act: Act.COLLECT,
        sizeClassId: "S",
        compartmentId: "A2",
        pinHash: await hashPin(pinKey, pin),
        notBefore: timestampFromMs(nowMs),
        expiresAt: timestampFromMs(nowMs + 3_600_000),
        state: ReservationState.DEPOSITED,
      }),
    ],
    bundles: [],
    revokedServiceHashes: [],
    outOfService: new Set<string>(),
    isSpent: () => false,
    toCollect: () => [],
    hasEnded: () => false,
    challengeAgeMs: () => undefined,
    visits: [],
    compartments: [
      { ...compartment, compartmentId: "A1" },
      { ...compartment, compartmentId: "A2" },
      { ...compartment, compartmentId: "B1", sizeClassId: "L" },
    ],
    lockOut: noLockOut,
    clockTrusted: true,
    maxSkewMs: 300_000,
  };
});

function token(act: Act): Promise<string> {
  const times = { notBeforeMs: nowMs - 60_000, expiresAtMs: nowMs + 60_000 };
  return mintAccessToken({ issuerKey, act, siteId, reservationId, tokenId: newTokenId(), sizeClassIndex: 0, ...times });
}

/** Doors by their compartments. */
function at(...compartmentIds: string[]): { compartmentId: string }[] {
  return compartmentIds.map((compartmentId) => ({ compartmentId }));
}

describe("the decision", () => {
  it("is deterministic and changes nothing", async () => {
    const before = structuredClone({
      ...snapshot,
      isSpent: undefined,
      toCollect: undefined,
      hasEnded: undefined,
      challengeAgeMs: undefined,
    });
    for (const credential of [{ token: await token(Act.DEPOSIT) }, { pin }, { pin: "00000000" }, { token: "x" }]) {
      expect(await decide(credential, snapshot, nowMs)).toEqual(await decide(credential, snapshot, nowMs));
    }
    expect(
      structuredClone({ ...snapshot, isSpent: undefined, toCollect: undefined, hasEnded: undefined, challengeAgeMs: undefined }),
    ).toEqual(before);
  });

  it("offers a deposit only compartments that are closed, empty, working, free and of its size class", async () => {
    const wrong = [
      { sizeClassId: "L" },
      { condition: "IN_DOUBT" as const },
      { condition: "LOCK_FAILED" as const },
      { reservationId: "res_83652b_0000000000000000" },
      { door: "OPEN" as const },
      { door: "UNKNOWN" as const },
      { occupancy: "OCCUPIED" as const },
      { occupancy: "UNKNOWN" as const },
    ];
    const compartments = wrong.map((change, index) => ({ ...compartment, compartmentId: `X${index}`, ...change }));
    const credential = { token: await token(Act.DEPOSIT) };
    expect(await decide(credential, { ...snapshot, compartments }, nowMs)).toMatchObject({ opens: false, refusal: "NO_COMPARTMENT" });
    const withGood = [...compartments, { ...compartment, compartmentId: "Y1" }];
    expect(await decide(credential, { ...snapshot, compartments: withGood }, nowMs)).toMatchObject({ opens: true, doors: at("Y1") });
  });

  it("opens only the door promised to a hard hold, and keeps it from others while the hold lasts", async () => {
    const promise = (changes: object = {}) =>
      create(AllowanceSchema, {
        reservationId: newReservationId("83652b"),
        act: Act.DEPOSIT,
        sizeClassId: "S",
        compartmentId: "A1",
        notBefore: timestampFromMs(nowMs),
        expiresAt: timestampFromMs(nowMs + 1),
        state: ReservationState.CONFIRMED,
        ...changes,
      });
    const credential = { token: await token(Act.DEPOSIT) };
    const decideWith = (allowances: DoorSnapshot["allowances"], changes: Partial<DoorSnapshot> = {}, atMs = nowMs) =>
      decide(credential, { ...snapshot, allowances, ...changes }, atMs);
    expect(await decideWith([promise({ reservationId })])).toMatchObject({ opens: true, doors: at("A1") });
    expect(await decideWith([promise({ reservationId, compartmentId: "A2" })])).toMatchObject({ doors: at("A2") });
    for (const change of [
      { occupancy: "OCCUPIED" },
      { condition: "LOCK_FAILED" },
      { reservationId: newReservationId("83652b") },
    ] as const) {
      const compartments = snapshot.compartments.map((one) => (one.compartmentId === "A1" ? { ...one, ...change } : one));
      expect(await decideWith([promise({ reservationId })], { compartments })).toMatchObject({ refusal: "PROMISED_COMPARTMENT" });
    }
    expect(await decideWith([promise({ reservationId, compartmentId: "Z9" })])).toMatchObject({ refusal: "PROMISED_COMPARTMENT" });

    for (const state of [ReservationState.HELD, ReservationState.CONFIRMED]) {
      expect(await decideWith([promise({ state })])).toMatchObject({ doors: at("A2") });
    }
    expect(await decideWith([promise(), promise({ compartmentId: "A2" })])).toMatchObject({ refusal: "NO_COMPARTMENT" });
    // The promise of another to the same door, where the gateway made two, opens it for neither.
    expect(await decideWith([promise(), promise({ reservationId })])).toMatchObject({ refusal: "PROMISED_COMPARTMENT" });
    expect(await decideWith([promise({ state: ReservationState.CANCELLED })])).toMatchObject({ doors: at("A1", "A2") });
    const endMs = nowMs + 1 + snapshot.maxSkewMs;
    const lasting = { expiresAt: timestampFromMs(endMs - snapshot.maxSkewMs) };
    // The token is good for as long, by the same skew.
    const late = await decideWith([promise(lasting)], {}, endMs - 1);
    const over = await decideWith([promise(lasting)], {}, endMs);
    expect([late, over].map((decision) => decision.opens && decision.doors)).toMatchObject([at("A2"), at("A1", "A2")]);
  });

  it("prefers the agent's own record to the gateway's allowances", async () => {
    const [first, ...rest] = snapshot.compartments;
    const compartments = first === undefined ? rest : [{ ...first, reservationId }, ...rest];
    const credential = { token: await token(Act.COLLECT) };
    expect(await decide(credential, snapshot, nowMs)).toMatchObject({ doors: at("A2") });
    expect(await decide(credential, { ...snapshot, compartments }, nowMs)).toMatchObject({ doors: at("A1") });
  });

  it("does not open a door named by the gateway while somebody else has just opened it", async () => {
    const credential = { token: await token(Act.COLLECT) };
    const visit = {
      compartmentId: "A2",
      credentialId: newTokenId(),
      proofKind: ProofKind.ACCESS_TOKEN,
      reservationId: newReservationId("83652b"),
      bundleId: "",
      isDelegated: false,
      reopenings: 0,
      graceUntilMs: nowMs + 1,
    };
    for (const phase of ["OPENING", "OPEN", "CLOSED"] as const) {
      for (const whose of [{ act: Act.DEPOSIT }, { act: Act.SERVICE, reservationId: "" }]) {
        const visits = [{ ...visit, ...whose, phase }];
        expect(await decide(credential, { ...snapshot, visits }, nowMs)).toMatchObject({ opens: false, refusal: "IN_USE" });
      }
    }
  });

  it("lets a credential reopen its own door only while that is closed and within the grace period", async () => {
    const shown = await token(Act.DEPOSIT);
    const first = await decide({ token: shown }, snapshot, nowMs);
    if (!first.opens) throw new Error("the first showing opens");
    const { credentialId, proofKind, act } = first;
    const visit = {
      compartmentId: "A1",
      credentialId,
      proofKind,
      act,
      reservationId,
      bundleId: "",
      isDelegated: false,
      phase: "CLOSED",
      reopenings: 1,
      graceUntilMs: nowMs + 1,
    } as const;
    const decideWith = (change: object) =>
      decide({ token: shown }, { ...snapshot, isSpent: () => true, visits: [{ ...visit, ...change }] }, nowMs);
    expect(await decideWith({})).toMatchObject({ opens: true, reopens: true, doors: at("A1") });
    expect(await decideWith({ phase: "OPENING" })).toMatchObject({ opens: true, reopens: true });
    expect(await decideWith({ phase: "OPEN" })).toMatchObject({ opens: false, refusal: "SPENT" });
    expect(await decideWith({ reopenings: 2 })).toMatchObject({ opens: false, refusal: "SPENT" });
    expect(await decideWith({ graceUntilMs: nowMs })).toMatchObject({ opens: false, refusal: "SPENT" });
    // Nobody else gets the compartment meanwhile, and no other credential of the reservation opens any.
    const other = { ...visit, reservationId: newReservationId("83652b"), credentialId: "other" };
    expect(await decide({ token: shown }, { ...snapshot, visits: [other] }, nowMs)).toMatchObject({ doors: at("A2") });
    expect(await decide({ token: shown }, { ...snapshot, visits: [{ ...visit, credentialId: "other" }] }, nowMs)).toMatchObject({
      refusal: "IN_USE",
    });
  });

  it("does not open for one parcel the door of another", async () => {
    const compartments = snapshot.compartments.map((one) => ({ ...one, reservationId: newReservationId("83652b") }));
    expect(await decide({ pin }, { ...snapshot, compartments }, nowMs)).toMatchObject({ opens: false, refusal: "NOT_DEPOSITED" });
  });

  it("finds a PIN at any position among others", async () => {
    const others = await Promise.all(["1", "2", "3"].map(async (digit) => ({ pinHash: await hashPin(pinKey, digit.repeat(8)) })));
    const noise = others.map((fields) =>
      create(AllowanceSchema, { reservationId: newReservationId("83652b"), act: Act.COLLECT, ...fields }),
    );
    noise.push(create(AllowanceSchema, { reservationId, act: Act.DEPOSIT }));
    const [mine] = snapshot.allowances;
    if (mine === undefined) throw new Error("the snapshot has an allowance");
    for (let place = 0; place <= noise.length; place += 1) {
      const allowances = [...noise.slice(0, place), mine, ...noise.slice(place)];
      const decision = await decide({ pin }, { ...snapshot, allowances }, nowMs);
      expect(decision).toMatchObject({ opens: true, proofKind: ProofKind.PIN, reservationId, doors: at("A2"), lockOut: noLockOut });
    }
  });

  it("counts every PIN that does not open, but no malformed one", async () => {
    const failuresAfter = async (shown: string, changes: Partial<DoorSnapshot> = {}) =>
      (await decide({ pin: shown }, { ...snapshot, ...changes }, nowMs)).lockOut.failures;
    expect(await failuresAfter("11111111")).toBe(1);
    expect(await failuresAfter(pin, { isSpent: () => true })).toBe(1);
    expect(await failuresAfter(pin, { compartments: [] })).toBe(1);
    expect(await failuresAfter("1111")).toBe(0);
    expect(await failuresAfter(pin)).toBe(0);
  });

  it("subtracts one wrong PIN for a right one, but none when that reopens its door", async () => {
    const lockOut = { failures: 3, lastFailureMs: nowMs, lockedUntilMs: nowMs };
    const first = await decide({ pin }, { ...snapshot, lockOut }, nowMs);
    if (!first.opens) throw new Error("the right PIN opens");
    expect(first.lockOut).toEqual({ ...lockOut, failures: 2 });
    const { credentialId, proofKind, act } = first;
    const shown = { credentialId, proofKind, act, reservationId, bundleId: "", isDelegated: false };
    const visit = { compartmentId: "A2", ...shown, reopenings: 0, graceUntilMs: nowMs + 1 };
    const again = await decide({ pin }, { ...snapshot, lockOut, visits: [{ ...visit, phase: "CLOSED" }] }, nowMs);
    expect(again).toMatchObject({ opens: true, reopens: true, lockOut });
  });

  it("opens for no random credential", async () => {
    const times = { notBeforeMs: nowMs - 60_000, expiresAtMs: nowMs + 60_000 };
    const common = { issuerKey, siteId, reservationId, holderKeyHash: newTokenId(), ...times };
    const bound = await Promise.all([Act.RECALL, Act.SERVICE, Act.COLLECT].map((act) => mintAccessToken({ ...common, act })));
    const credential = fc.oneof(
      fc.record({ token: fc.string({ unit: "binary" }) }),
      fc.record({ token: fc.constantFrom(...bound), presence: fc.string({ unit: "binary" }), compartmentId: fc.string() }),
      fc.record({ token: fc.constantFrom(...bound), presence: fc.stringMatching(/^[\w-]{22}\.[\w-]{43}\.[\w-]{86}$/) }),
      fc.record({ pin: fc.stringMatching(/^[0-9]{8}$/).filter((text) => text !== pin) }),
      fc.record({ pin: fc.string() }),
    );
    await fc.assert(
      fc.asyncProperty(credential, async (shown) => {
        // Every challenge counts as just issued.
        const decision = await decide(shown, { ...snapshot, challengeAgeMs: () => 0 }, nowMs);
        expect(decision.opens).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

describe("the refusals", () => {
  it("are listed in docs/credentials.md, word for word", async () => {
    const text = await readFile(new URL("../../../../docs/credentials.md", import.meta.url), "utf8");
    const rows = [...text.matchAll(/^\| `([A-Z_]+)` \| (.+?) \|/gm)].map(([, name, meaning]) => [name, meaning]);
    expect(rows).toEqual(Object.entries(doorRefusals));
    for (const name of Object.keys(doorRefusals)) expect(name.length).toBeLessThanOrEqual(64);
  });

  it("reveal nothing to the person about a credential that does not open", () => {
    const told = Object.keys(doorRefusals).map((refusal) => personRefusal(refusal as DoorRefusal));
    expect([...new Set(told)].sort()).toEqual(["NOT_ACCEPTED", "NO_DEPOSITS", "NO_PLACE_FREE", "OUT_OF_ORDER", "PINS_LOCKED"]);
  });
});
