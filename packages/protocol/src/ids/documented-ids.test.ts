import { readFileSync } from "node:fs";
import { fromJsonString, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { TermsSchema } from "../gen/petak/v1/terms_pb.ts";
import { parseBundleId, parseReservationId, parseSiteId } from "./ids.ts";
import { termsIdOf } from "./terms-id.ts";

const page = readFileSync(new URL("../../../../docs/protocol.md", import.meta.url), "utf8");
const section = page.slice(page.indexOf("\n## Ids\n"), page.indexOf("\n## Doing things once\n"));

describe("the rules of ids in docs/protocol.md", () => {
  it("have examples that are valid ids", () => {
    const examples = [...section.matchAll(/^\| `\w+_.*? \| `(\w+)` \|/gm)].map(([, id = ""]) => id);
    expect(examples.length).toBeGreaterThanOrEqual(9);
    const byPrefix = new Map(examples.map((id) => [id.slice(0, id.indexOf("_")), id]));
    expect(parseSiteId(byPrefix.get("site") ?? "")).toEqual({ region: "836520", storeCode: "k3v9c0x2md", siteNumber: 8 });
    expect(parseReservationId(byPrefix.get("res") ?? "")).toMatchObject({ region: "836520" });
    expect(parseBundleId(byPrefix.get("bdl") ?? "")).toMatchObject({ region: "836520" });
    for (const id of examples) expect(id).toMatch(/_[0-9a-hjkmnp-tv-z]{16}$|^pk_test_[0-9a-hjkmnp-tv-z]{24}$/);
  });

  it("give terms the documented id, whatever id the terms contain", async () => {
    const [, json = ""] = /```json\n(.*)\n```/.exec(section) ?? [];
    const [, hex = "", id = ""] = /the bytes `([0-9a-f]+)` and the id `(terms_\w+)`/.exec(section) ?? [];
    const terms = fromJsonString(TermsSchema, json);
    expect(Buffer.from(toBinary(TermsSchema, terms)).toString("hex")).toBe(hex);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", Buffer.from(hex, "hex")));
    const letters = Array.from(digest.subarray(0, 16), (byte) => "0123456789abcdefghjkmnpqrstvwxyz".charAt(byte & 31));
    expect(`terms_${letters.join("")}`).toBe(id);
    expect(await termsIdOf(terms)).toBe(id);
    expect(await termsIdOf({ ...terms, termsId: "terms_0000000000000000" })).toBe(id);
    expect(await termsIdOf({ ...terms, $unknown: [{ no: 99, wireType: 0, data: new Uint8Array([1]) }] })).toBe(id);
    expect(await termsIdOf({ ...terms, noShowFee: terms.lateChangeFee })).not.toBe(id);
  });
});
