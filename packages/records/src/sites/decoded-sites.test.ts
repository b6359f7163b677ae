import { create } from "@bufbuild/protobuf";
import { SiteSchema } from "@petak/protocol";
import { expect, test } from "vitest";
import { createDecodedSites } from "./decoded-sites.ts";
import { encodeSiteRecord, type SiteRecord } from "./site-record.ts";

function bytesOf(name: string): Buffer {
  const record: SiteRecord = { site: create(SiteSchema, { name, revision: 1 }), isOffered: true, cell: "8865200d2bfffff" };
  return encodeSiteRecord(record);
}

test("a site is decoded once for the same bytes, and anew for others", () => {
  const sites = createDecodedSites();
  const first = sites.decode("site_a", bytesOf("A"));
  expect(first.site).toMatchObject({ siteId: "site_a", name: "A" });
  expect(sites.decode("site_a", bytesOf("A"))).toBe(first);
  expect(sites.decode("site_a", bytesOf("B")).site.name).toBe("B");
  expect(sites.decode("site_a", bytesOf("A"))).not.toBe(first);
});

test("no more is kept than the limit says, and the oldest leaves first", () => {
  const { length } = bytesOf("A");
  const sites = createDecodedSites(2 * length);
  const [a, b] = ["a", "b"].map((id) => sites.decode(id, bytesOf("A")));
  sites.decode("c", bytesOf("A"));
  expect(sites.decode("b", bytesOf("A"))).toBe(b);
  expect(sites.decode("a", bytesOf("A"))).not.toBe(a);
  // One that is larger than all that may be kept is decoded all the same.
  expect(createDecodedSites(1).decode("a", bytesOf("A")).site.name).toBe("A");
});
