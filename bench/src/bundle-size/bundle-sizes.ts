import { fileURLToPath } from "node:url";
import { constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

/** A page's script to measure. */
interface MeasuredPage {
  /** Its file in `pages`, without the extension. */
  name: string;
  what: string;
  /** The largest permitted size, in KiB after gzip. */
  limitKiB?: number;
}

/** The size of a page's script, with everything that it imports. */
export interface BundleSize extends MeasuredPage {
  /** Minified, in bytes. */
  minifiedBytes: number;
  /** Minified and compressed by gzip at its best level, in bytes. */
  gzipBytes: number;
}

/** The measured pages, in the order of the table. */
export const measuredPages: readonly MeasuredPage[] = [
  { name: "plain-connect", what: "Connect's own client, `FindNearest`" },
  { name: "search", what: "`createServiceClient`, `FindNearest`, `reasonOf`", limitKiB: 55 },
  { name: "search-with-rules", what: "the same, and `validateMessage` of the request" },
  { name: "all-services", what: "`createPetakClient` and `createRequestSigner`" },
  { name: "judge", what: "`judgeAccessToken`" },
];

/** Bundles a page for browsers and measures what a server would send. The same sources and dependencies give the same sizes. */
export async function measureBundle(page: MeasuredPage): Promise<BundleSize> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`pages/${page.name}.ts`, import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2024",
    legalComments: "none",
    logLevel: "silent",
  });
  const script = outputFiles[0]?.contents ?? new Uint8Array();
  return { ...page, minifiedBytes: script.length, gzipBytes: gzipSync(script, { level: constants.Z_BEST_COMPRESSION }).length };
}
