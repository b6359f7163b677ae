import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { languageTags } from "../words/languages.ts";
import { bundlePicker } from "./bundle.ts";

test("what a page loads first is less than 60 KiB after gzip, and names no foreign origin", async () => {
  const files = await bundlePicker();
  const first = files.get("petak-picker.js") ?? new Uint8Array();
  expect(gzipSync(first).length).toBeLessThan(60 * 1024);
  expect(gzipSync(first).length).toBeGreaterThan(0);
  const origins = new TextDecoder().decode(first).match(/https?:\/\/[a-z0-9][a-z0-9.-]+/g) ?? [];
  // A name space of XML, which nobody asks for.
  expect(origins.filter((origin) => origin !== "http://www.w3.org")).toEqual([]);
});

test("each language is a file of its own", async () => {
  const names = [...(await bundlePicker()).keys()].filter((name) => name !== "petak-picker.js");
  expect(names.length).toBeGreaterThanOrEqual(languageTags.length - 1);
});
