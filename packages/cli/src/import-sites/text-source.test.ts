import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempDir } from "@petak/testkit";
import { describe, expect, test } from "vitest";
import { openText } from "./text-source.ts";

async function readFileText(content: string | Uint8Array, name = "list.csv"): Promise<string> {
  const path = join(await tempDir(), name);
  await writeFile(path, content);
  const text = await openText(path);
  return (await Array.fromAsync(text.read())).join("");
}

test("a byte order mark is left out and line ends become one", async () => {
  expect(await readFileText("\ufeffa,b\r\n1,2\r3,4\n\r\n5\r")).toBe("a,b\n1,2\n3,4\n\n5\n");
});

test("characters and line ends that fall on the border of two reads stay whole", async () => {
  const text = `${"x".repeat(256 * 1024 - 1)}é\r\n${"y".repeat(256 * 1024 - 4)}\r\nz`;
  expect(await readFileText(text)).toBe(text.replaceAll("\r\n", "\n"));
});

test("a reading reports bytes and digest", async () => {
  const path = join(await tempDir(), "list.csv");
  const content = "a,b\n".repeat(100_000);
  await writeFile(path, content);
  const seen: number[] = [];
  let digest = "";
  const text = await openText(path);
  const onDigest = (value: string) => {
    digest = value;
  };
  for await (const _ of text.read({ onBytes: (bytes) => seen.push(bytes), onDigest }));
  expect(seen.length).toBeGreaterThan(1);
  expect(seen.at(-1)).toBe(content.length);
  expect(text.sizeBytes).toBe(content.length);
  expect(digest).toBe(createHash("sha256").update(content).digest("hex"));
});

describe("a file that is not UTF-8 text is refused with advice", () => {
  const utf16 = (text: string) => Buffer.from(text, "utf16le");
  test.each<[string, string | Uint8Array, RegExp]>([
    ["an empty file", "", /list\.csv: is empty/],
    ["UTF-16 with a mark", Buffer.concat([Buffer.from([0xff, 0xfe]), utf16("a,b\n")]), /UTF-16.*save it as UTF-8/],
    ["big-endian UTF-16", Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from([0, 0x61])]), /UTF-16/],
    ["UTF-16 without a mark", utf16("name,lat,lng\nx,1,2\n"), /UTF-16/],
    ["a gzip file", Buffer.from([0x1f, 0x8b, 8, 0]), /gzip: unpack/],
    ["a spreadsheet", Buffer.from("PK\u0003\u0004xxxx"), /spreadsheet: save the sheet as CSV/],
    ["a PDF", "%PDF-1.7", /a PDF/],
    ["a binary file", Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 0, 0, 0, 0, 0, 1]), /binary data/],
    ["a zero byte far in", `a,b\n${"1,2\n".repeat(2000)}x\u0000y\n`, /line 2002: holds binary data/],
    [
      "Latin-1",
      Buffer.concat([Buffer.from("a,b\n1,2\nCaf"), Buffer.from([0xe9]), Buffer.from(",3\n")]),
      /line 3: is not in UTF-8.*Latin-1/,
    ],
    ["a file cut in a character", Buffer.concat([Buffer.from("a,b\nx"), Buffer.from([0xc3])]), /line 2: ends in the middle of a character/],
  ])("%s", async (_, content, message) => {
    await expect(readFileText(content)).rejects.toThrow(message);
  });
});

test("a file that does not exist and a folder are refused", async () => {
  const folder = join(await tempDir(), "folder");
  await mkdir(folder);
  await expect(openText(folder)).rejects.toThrow("folder: is no file");
  await expect(openText(join(folder, "nothing.csv"))).rejects.toThrow(/nothing\.csv does not exist/);
});
