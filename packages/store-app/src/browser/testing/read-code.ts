import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";

let isPrepared = false;

/** Reads the QR codes in a picture, e.g. a screenshot, with the decoder of the app. @param picture PNG, JPEG or portable graymap */
export async function readCodes(picture: Uint8Array): Promise<string[]> {
  if (!isPrepared) {
    const wasm = await readFile(fileURLToPath(import.meta.resolve("zxing-wasm/reader/zxing_reader.wasm")));
    prepareZXingModule({ overrides: { wasmBinary: new Uint8Array(wasm).buffer } });
    isPrepared = true;
  }
  // Where all formats are read, the squares of one QR code in some hundreds also look like a Codabar.
  const found = await readBarcodes(picture, { formats: ["QRCode"] });
  return found.map(({ text }) => text);
}
