import { ParcelRequirement, PetakError, Purpose } from "@petak/protocol";
import { createRandom, testSeed } from "@petak/testkit";
import { beforeAll, describe, expect, it } from "vitest";
import { signCompact } from "../jws/sign-compact.ts";
import { generateIssuerKey, type IssuerKeyPair } from "../keys/issuer-key.ts";
import { choiceLifetimeMs, choiceMaxLength, signChoice } from "./choice.ts";
import { type ChoiceToVerify, verifyChoice } from "./verify-choice.ts";

const issuedAtMs = 1_800_000_000_000;
const shop = "par_0000000000000001";
const site = "site_83652b_k3v9c0x2md000001";
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000, requirements: [ParcelRequirement.AGE_CHECK] };
const chosen = { participantId: shop, siteId: site, sizeClassId: "M", parcel, purpose: Purpose.DELIVERY, issuedAtMs };
const order: ChoiceToVerify = { participantId: shop, siteId: site, parcel, purpose: Purpose.UNSPECIFIED };

let key: IssuerKeyPair;
let other: IssuerKeyPair;

beforeAll(async () => {
  key = await generateIssuerKey();
  other = await generateIssuerKey({ takenKeyIds: new Set([key.keyId]) });
});

/** The reason and metadata of the refusal; "verified" if there is none. */
async function outcome(choice: string, wanted = order, nowMs = issuedAtMs, issuerKeys: readonly object[] = [key]) {
  try {
    await verifyChoice(choice, wanted, { issuerKeys: issuerKeys as IssuerKeyPair[], nowMs });
    return "verified";
  } catch (error) {
    if (!(error instanceof PetakError)) throw error;
    const { fault, mismatch } = error.metadata;
    return [error.reason, fault ?? mismatch].filter((part) => part !== undefined).join(" ");
  }
}

describe("a signed choice", () => {
  it("is verified for what was chosen, with the sides of the parcel in any order and for 15 minutes", async () => {
    const choice = await signChoice(key, { ...chosen, issuedAtMs: issuedAtMs + 999 });
    const turned = { ...parcel, widthMm: 400, heightMm: 300, depthMm: 100 };
    expect(await verifyChoice(choice, { ...order, parcel: turned }, { issuerKeys: [other, key], nowMs: issuedAtMs })).toEqual({
      ...chosen,
      parcel: { ...parcel, widthMm: 100, heightMm: 300, depthMm: 400 },
      expiresAtMs: issuedAtMs + choiceLifetimeMs,
    });
    expect(await outcome(choice, order, issuedAtMs + choiceLifetimeMs - 1)).toBe("verified");
    expect(await outcome(choice, order, issuedAtMs + choiceLifetimeMs)).toBe("CHOICE_EXPIRED");
  });

  it("is refused for another participant, site, parcel or purpose", async () => {
    const choice = await signChoice(key, chosen);
    expect(await outcome(choice, { ...order, participantId: "par_0000000000000002" })).toBe("CHOICE_MISMATCH participant");
    expect(await outcome(choice, { ...order, siteId: `${site}x` })).toBe("CHOICE_MISMATCH site");
    expect(await outcome(choice, { ...order, siteId: "" })).toBe("CHOICE_MISMATCH site");
    for (const change of [{ widthMm: 301 }, { massG: 999 }, { requirements: [] }, { requirements: [ParcelRequirement.ID_CHECK] }]) {
      expect(await outcome(choice, { ...order, parcel: { ...parcel, ...change } })).toBe("CHOICE_MISMATCH parcel");
    }
    expect(await outcome(choice, { ...order, purpose: Purpose.RETURN })).toBe("CHOICE_MISMATCH purpose");
    expect(await outcome(choice, { participantId: shop })).toBe("verified");
  });

  it("says nothing about a choice to another participant, not even that it has expired", async () => {
    const choice = await signChoice(key, chosen);
    expect(await outcome(choice, { participantId: "par_0000000000000002" }, issuedAtMs * 2)).toBe("CHOICE_MISMATCH participant");
  });

  it("is refused if any character of it was changed", async () => {
    const random = createRandom(testSeed());
    const choice = await signChoice(key, chosen);
    for (let round = 0; round < 100; round++) {
      const at = random.int(0, choice.length - 1);
      const letter = random.pick([..."ABCxyz019-_.{ é"].filter((one) => one !== choice[at]));
      expect(await outcome(`${choice.slice(0, at)}${letter}${choice.slice(at + 1)}`), `${at} ${letter}`).toMatch(/^CHOICE_INVALID /);
    }
    for (const text of ["", "...", choice.slice(1), `${choice}.`, choice + "A".repeat(choiceMaxLength)]) {
      expect(await outcome(text), text).toBe("CHOICE_INVALID form");
    }
  });

  it("is refused if another key signed it, or a key before or after its period", async () => {
    const choice = await signChoice(key, chosen);
    expect(await outcome(choice, order, issuedAtMs, [other])).toBe("CHOICE_INVALID kid");
    expect(await outcome(choice, order, issuedAtMs, [{ ...other, keyId: key.keyId }])).toBe("CHOICE_INVALID signature");
    expect(await outcome(choice, order, issuedAtMs, [{ ...key, signsUntilMs: issuedAtMs }])).toBe("CHOICE_INVALID claims");
    expect(await outcome(choice, order, issuedAtMs, [{ ...key, signsFromMs: issuedAtMs + 1000 }])).toBe("CHOICE_INVALID claims");
    // Signed in the second in which the key begins to sign.
    expect(await outcome(choice, order, issuedAtMs, [{ ...key, signsFromMs: issuedAtMs + 999 }])).toBe("verified");
  });

  it("is nothing else that the same key signed, and has no other lifetime, type or claims", async () => {
    const header = { alg: "EdDSA", typ: "petak-choice", kid: key.keyId };
    const iat = issuedAtMs / 1000;
    const claims = {
      ...{ aud: shop, sub: site, size_class: "M", sides_mm: [100, 300, 400], mass_g: 1000, requirements: ["AGE_CHECK"] },
      ...{ purpose: "DELIVERY", iat, exp: iat + choiceLifetimeMs / 1000 },
    };
    const signed = async (more: object, headers: object = {}) =>
      outcome(await signCompact(key.privateJwk, { ...header, ...headers }, { ...claims, ...more }));
    expect(await signed({})).toBe("verified");
    expect(await signed({}, { typ: "petak-receipt" })).toBe("CHOICE_INVALID typ");
    expect(await signed({}, { alg: "none" })).toBe("CHOICE_INVALID alg");
    expect(await signed({}, { crit: ["b64"] })).toBe("CHOICE_INVALID crit");
    const wrong = [
      ...[{ exp: claims.exp + 1 }, { iat: iat + 0.5 }, { aud: 7 }, { sub: null }, { size_class: undefined }, { mass_g: "1000" }],
      ...[
        { sides_mm: [100, 300] },
        { sides_mm: [100, 300, -1] },
        { requirements: ["toString"] },
        { requirements: "AGE_CHECK" },
        { purpose: 1 },
      ],
    ];
    for (const more of wrong) expect(await signed(more), JSON.stringify(more)).toBe("CHOICE_INVALID claims");
  });
});
