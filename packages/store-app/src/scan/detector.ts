/** Reads codes from pictures. */
export interface CodeDetector {
  detect(picture: ImageBitmapSource): Promise<readonly { readonly rawValue: string }[]>;
}

/** The symbologies of parcels, shelves and phones. Fewer are read faster. */
const formats = ["qr_code", "code_128", "code_39", "ean_13", "itf", "data_matrix"] as const;

interface NativeDetector {
  new (options: { formats: readonly string[] }): CodeDetector;
  getSupportedFormats(): Promise<readonly string[]>;
}

/** The browser's own detector if it reads what is needed, otherwise one in WebAssembly that this site serves. */
export async function createDetector(): Promise<CodeDetector> {
  const native = (globalThis as { BarcodeDetector?: NativeDetector }).BarcodeDetector;
  const supported = (await native?.getSupportedFormats().catch(() => [])) ?? [];
  if (native !== undefined && formats.every((format) => supported.includes(format))) return new native({ formats });
  const { BarcodeDetector, prepareZXingModule } = await import("barcode-detector/ponyfill");
  // By default the decoder comes from somebody else's server.
  prepareZXingModule({ overrides: { locateFile: (path: string) => `/${path}` } });
  return new BarcodeDetector({ formats: [...formats] });
}
