import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";

let isPrepared = false;

/** Reads the codes in a picture, e.g. a screenshot, as the app's camera does. @param picture PNG or JPEG */
export async function readCodes(picture: Uint8Array): Promise<string[]> {
  if (!isPrepared) {
    const wasm = await readFile(fileURLToPath(import.meta.resolve("zxing-wasm/reader/zxing_reader.wasm")));
    prepareZXingModule({ overrides: { wasmBinary: new Uint8Array(wasm).buffer } });
    isPrepared = true;
  }
  const found = await readBarcodes(picture);
  return found.map(({ text }) => text);
}
