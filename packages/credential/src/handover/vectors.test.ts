import { type HandoverCodeOutcome, type HandoverCodeVector, type HandoverVector, judgeProof, judgeSiteCode } from "@petak/conformance";
import { readHandoverCodeVectors, readHandoverVectors } from "@petak/conformance/published";
import { describe, expect, it } from "vitest";
import { decodeBase64url } from "../bytes/base64url.ts";
import { compareWithSite } from "./compare.ts";
import { handoverFaults, judgeHandover } from "./judge-handover.ts";
import { handoverListText } from "./list.ts";
import { readSiteCode } from "./site-code.ts";

const vectors = await readHandoverVectors();
const bytes = (text: string): Uint8Array => decodeBase64url(text) ?? new Uint8Array();

async function judge(vector: HandoverVector): Promise<{ fault: string | null }> {
  const judged = await judgeHandover(
    { list: vector.list, siteStatement: vector.site_statement, courierCode: vector.courier_code },
    {
      siteId: vector.site_id,
      siteKeys: vector.site_keys?.map(bytes),
      courierKeys: vector.courier_keys.map(({ courier_id, key_id, public_key }) => ({
        courierId: courier_id,
        keyId: key_id,
        publicKey: bytes(public_key),
      })),
    },
  );
  return { fault: typeof judged === "string" ? judged : null };
}

async function compare({ code, parcels }: HandoverCodeVector): Promise<HandoverCodeOutcome> {
  const read = await readSiteCode(code);
  if (typeof read === "string") return { fault: read, list: null, missing: null, unknown: null };
  const own = parcels.map(({ reservation_id, label_code }) => ({ reservationId: reservation_id, labelCode: label_code }));
  const { list, missing, unknown } = await compareWithSite(read, own);
  return {
    fault: null,
    list: list === undefined ? null : handoverListText(list),
    missing: missing.map(({ reservationId, labelCode }) => ({ reservation_id: reservationId, label_code: labelCode })),
    unknown,
  };
}

describe("the published vectors of hand-overs", () => {
  it.each(vectors)("$id: $shows", async (vector) => {
    const { expected, found } = await judgeProof(vector, judge);
    expect(found).toEqual(expected);
  });

  it("contain every fault", () => {
    const known = new Set(vectors.map(({ expected }) => expected.fault));
    expect(handoverFaults.filter((fault) => !known.has(fault))).toEqual([]);
  });
});

describe("the published vectors of sites' codes", async () => {
  it.each(await readHandoverCodeVectors())("$id: $shows", async (vector) => {
    const { expected, found } = await judgeSiteCode(vector, compare);
    expect(found).toEqual(expected);
  });
});
