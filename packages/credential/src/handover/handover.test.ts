import { describe, expect, it } from "vitest";
import { generateKeyPair } from "../keys/ed25519.ts";
import { compareWithSite } from "./compare.ts";
import { courierCode } from "./courier-code.ts";
import { signDriverCertificate } from "./driver-certificate.ts";
import { judgeHandover } from "./judge-handover.ts";
import { type HandoverEntry, type HandoverList, handoverListHash, handoverListText, handoverMaxEntries, newHandoverNonce } from "./list.ts";
import { handoverProof, handoverProofMaxLength, isHandoverProof } from "./proof.ts";
import { handoverCodeMaxLength, readSiteCode, signSiteStatement, siteCode } from "./site-code.ts";

const [agent, company, driver] = await Promise.all([generateKeyPair(), generateKeyPair(), generateKeyPair()]);
const courierKey = { courierId: "par_w8ase5n2ehjkbmbe", keyId: "key_live_4c6qfd1mz0t8x2vh", publicKey: company.publicKey };
const atMs = 1_795_518_000_000;
const nonce = "AUSx3vz3VhCHAV-Ngw1lsQ";

function listOf(entries: HandoverEntry[]): HandoverList {
  return { siteId: "site_83652b_0x2mdk3v9c", direction: "IN", courierId: courierKey.courierId, nonce, atMs, entries };
}

function parcels(count: number): HandoverEntry[] {
  return Array.from({ length: count }, (_, index) => ({
    reservationId: `res_83652b_${String(index).padStart(16, "0")}`,
    labelCode: "",
    condition: "OK",
    reason: "",
  }));
}

async function shown(list: HandoverList): Promise<string> {
  return siteCode(await signSiteStatement(agent.privateJwk, agent.publicKey, list), list);
}

async function read(code: string) {
  const site = await readSiteCode(code);
  if (typeof site === "string") throw new Error(site);
  return site;
}

describe("a hand-over", () => {
  it("leaves the same receipt with both sides, without a word over the network", async () => {
    const list = listOf(
      parcels(30).map((parcel, index) => (index === 7 ? { ...parcel, condition: "REFUSED", reason: "TOO_LARGE" } : parcel)),
    );
    const code = await shown(list);
    const site = await read(code);
    const found = await compareWithSite(site, parcels(30).reverse());
    expect(found).toEqual({ list, missing: [], unknown: 0 });

    const times = { notBeforeS: atMs / 1000 - 60, notAfterS: atMs / 1000 + 3600 };
    const certified = { ...courierKey, driverKey: driver.publicKey, siteId: list.siteId, ...times };
    const certificate = await signDriverCertificate(company.privateJwk, certified);
    const answer = await courierCode(site.statement, { key: driver.privateJwk, publicKey: driver.publicKey, certificate });
    const [siteStatement = ""] = code.split("~");
    const receipt = { list: handoverListText(list), siteStatement, courierCode: answer };
    const judged = await judgeHandover(receipt, { siteId: list.siteId, siteKeys: [agent.publicKey], courierKeys: [courierKey] });
    expect(judged).toMatchObject({
      list,
      statement: { counts: { OK: 29, DAMAGED: 0, REFUSED: 1 } },
      certificate: { keyId: courierKey.keyId },
    });
    expect(Math.max(code.length, answer.length)).toBeLessThan(handoverCodeMaxLength);
  });

  it("has another hash each time, also of the same parcels", async () => {
    const list = listOf(parcels(3));
    expect(await handoverListHash({ ...list, nonce: newHandoverNonce() })).not.toBe(await handoverListHash(list));
  });

  it("has marks in its code up to 90 parcels, and no code is too long", async () => {
    for (const count of [1, 90, handoverMaxEntries]) {
      const code = await shown(listOf(parcels(count)));
      expect(code.length).toBeLessThanOrEqual(handoverCodeMaxLength);
      expect((await read(code)).marks !== undefined, String(count)).toBe(count <= 90);
    }
  });

  it.each([0, 1, 14, 29])("names the parcel that one side has more: number %i", async (index) => {
    const all = parcels(30);
    const fewer = all.filter((_, at) => at !== index);
    const bySite = await compareWithSite(await read(await shown(listOf(all))), fewer);
    expect(bySite).toEqual({ list: undefined, missing: [], unknown: 1 });
    const list = listOf(fewer);
    const byCourier = await compareWithSite(await read(await shown(list)), all);
    expect(byCourier).toMatchObject({ list, unknown: 0, missing: [{ reservationId: all[index]?.reservationId }] });
  });

  it("of so many parcels that the code has no marks is found with the conditions that the driver names", async () => {
    const entries = parcels(150).map(
      (parcel, at): HandoverEntry => (at === 3 ? { ...parcel, condition: "DAMAGED", reason: "WET" } : parcel),
    );
    const list = listOf(entries);
    const site = await read(await shown(list));
    expect(await compareWithSite(site, parcels(150))).toEqual({ list: undefined, missing: [], unknown: 0 });
    expect((await compareWithSite(site, entries)).list).toEqual(list);
  });

  it("is not written down with a parcel that is listed twice, or with none", () => {
    const [parcel] = parcels(1);
    if (parcel === undefined) throw new Error("no parcel");
    for (const entries of [[], [parcel, parcel], parcels(handoverMaxEntries + 1)]) {
      expect(() => handoverListText(listOf(entries))).toThrow(TypeError);
    }
  });
});

describe("what shows that one parcel was handed over", async () => {
  const certified = { ...courierKey, driverKey: driver.publicKey, siteId: "", notBeforeS: atMs / 1000, notAfterS: atMs / 1000 + 3600 };
  const certificate = await signDriverCertificate(company.privateJwk, certified);
  const { siteId } = listOf([]);
  const expected = {
    siteId,
    siteKey: agent.publicKey,
    courierKeys: [courierKey],
    direction: "IN",
    courierId: courierKey.courierId,
  } as const;

  async function receiptOf(entries: HandoverEntry[]) {
    const list = listOf(entries);
    const siteStatement = await signSiteStatement(agent.privateJwk, agent.publicKey, list);
    const { statement } = await read(siteStatement);
    const code = await courierCode(statement, { key: driver.privateJwk, publicKey: driver.publicKey, certificate });
    return { receipt: { list: handoverListText(list), siteStatement, courierCode: code }, listHash: statement.listHash };
  }

  it.each([1, 2, 3, 30, handoverMaxEntries])("is found for each parcel of a list of %i, and is good for no other parcel", async (count) => {
    const { receipt, listHash } = await receiptOf(parcels(count));
    const all = parcels(count);
    for (const index of new Set([0, 1, count >> 1, count - 2, count - 1])) {
      const reservationId = all[index]?.reservationId;
      if (reservationId === undefined) continue;
      const proof = (await handoverProof(receipt, reservationId)) ?? "";
      expect(proof.length).toBeLessThan(handoverProofMaxLength);
      expect(await isHandoverProof(proof, { ...expected, listHash, reservationId })).toBe(true);
      expect(await isHandoverProof(proof, { ...expected, listHash, reservationId: "res_83652b_zzzzzzzzzzzzzzzz" })).toBe(false);
    }
  });

  it("is none for a refused parcel, another direction, courier, list or agent, and for any changed part", async () => {
    const entries = parcels(5).map(
      (parcel, at): HandoverEntry => (at === 2 ? { ...parcel, condition: "REFUSED", reason: "OTHER" } : parcel),
    );
    const { receipt, listHash } = await receiptOf(entries);
    const [first, , refused] = entries.map(({ reservationId }) => reservationId);
    if (first === undefined || refused === undefined) throw new Error("no parcel");
    const proof = (await handoverProof(receipt, first)) ?? "";
    const about = { ...expected, listHash, reservationId: first };
    expect(await isHandoverProof((await handoverProof(receipt, refused)) ?? "", { ...about, reservationId: refused })).toBe(false);
    expect(await isHandoverProof(proof, { ...about, direction: "OUT" })).toBe(false);
    expect(await isHandoverProof(proof, { ...about, courierId: "par_0000000000000000" })).toBe(false);
    expect(await isHandoverProof(proof, { ...about, listHash: "A".repeat(43) })).toBe(false);
    expect(await isHandoverProof(proof, { ...about, siteKey: driver.publicKey })).toBe(false);
    const parts = proof.split("~");
    for (const [at, part] of parts.entries()) {
      const changed = parts.with(at, part === "" ? "WET" : `${part.slice(0, 3)}${part[3] === "A" ? "B" : "A"}${part.slice(4)}`).join("~");
      expect(await isHandoverProof(changed, about), `part ${at}`).toBe(false);
    }
    expect(await isHandoverProof(`${proof}~`, about)).toBe(false);
    expect(await handoverProof(receipt, "res_83652b_zzzzzzzzzzzzzzzz")).toBeUndefined();
  });
});
