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

test("the licence of lit is there in full, and its notices stand in the file that has its code", async () => {
  const files = await bundlePicker();
  const textOf = (name: string) => new TextDecoder().decode(files.get(name));
  const licence = textOf("petak-lit-licence.txt");
  expect(licence).toMatch(/^BSD 3-Clause License/);
  expect(licence).toContain("Redistributions in binary form must reproduce the above copyright notice");
  expect(textOf("petak-picker.js")).toMatch(/@license[^/]+Copyright \d+ Google LLC[^/]+SPDX-License-Identifier: BSD-3-Clause/);
});

test("each language is a file of its own", async () => {
  const names = [...(await bundlePicker()).keys()].filter((name) => name !== "petak-picker.js");
  expect(names.length).toBeGreaterThanOrEqual(languageTags.length - 1);
});
