import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, extname, join } from "node:path";
import { findChromium } from "@petak/testkit/find-chromium";
import { build } from "esbuild";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { bundleMap } from "../bundle-map.ts";
import type { MapPage } from "./map-page.ts";

declare global {
  var mapPage: MapPage;
}

/** How somebody looks at the map, and what their browser lacks. */
export interface MapLook {
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: "light" | "dark";
  readonly hasForcedColors?: boolean;
  readonly hasTouch?: boolean;
  /** Added to the page's policy. */
  readonly policy?: string;
}

/** Nothing but the page's own files, no inline style, no `data:` and no `blob:`. */
const strictPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'";

/** How long to wait for what a page should show, in ms: a machine with much else to do takes many times as long. */
const patienceMs = 120_000;

const types: Readonly<Record<string, string>> = { ".js": "text/javascript", ".json": "application/json" };

/** The files of the test's page, by name. */
export async function bundleMapPage(): Promise<ReadonlyMap<string, Uint8Array>> {
  const { define, files } = await bundleMap();
  const { outputFiles } = await build({
    entryPoints: { page: join(import.meta.dirname, "map-page.ts") },
    outdir: "out",
    define,
    bundle: true,
    splitting: true,
    minify: true,
    write: false,
    format: "esm",
    logLevel: "warning",
  });
  return new Map([...files, ...outputFiles.map(({ path, contents }) => [basename(path), contents] as const)]);
}

/** A server of the page and a browser, shared by the tests of a file. A test fails if a page complains of anything or asks another origin. */
export interface MapBrowser {
  open(look?: MapLook): Promise<Page>;
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Complaints that match do not fail the test. */
  allowComplaints(pattern: RegExp): void;
}

/** @param switches of Chromium */
export function useMapBrowser(switches: readonly string[] = []): MapBrowser {
  let browser: Browser;
  let server: Server;
  let files: ReadonlyMap<string, Uint8Array>;
  const contexts: BrowserContext[] = [];
  const complaints: string[] = [];
  const allowed: RegExp[] = [];

  beforeAll(async () => {
    files = await bundleMapPage();
    server = await startServer(files);
    const { path } = await findChromium();
    // Chromium's sandbox does not start as root.
    browser = await chromium.launch({ executablePath: path, chromiumSandbox: process.geteuid?.() !== 0, args: [...switches] });
  });

  afterAll(async () => {
    await browser.close();
    server.closeAllConnections();
    server.close();
  });

  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
    const patterns = allowed.splice(0);
    expect(complaints.splice(0).filter((line) => !patterns.some((pattern) => pattern.test(line)))).toEqual([]);
  });

  return {
    get files() {
      return files;
    },
    async open({
      width = 600,
      height = 440,
      scheme = "light",
      hasForcedColors = false,
      hasTouch = false,
      policy = "worker-src 'self'",
    } = {}) {
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: scheme,
        forcedColors: hasForcedColors ? "active" : "none",
        hasTouch,
      });
      contexts.push(context);
      context.setDefaultTimeout(patienceMs);
      const page = await context.newPage();
      page.on("pageerror", (error) => complaints.push(`uncaught: ${error.message}`));
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
      });
      page.on("request", (request) => {
        if (new URL(request.url()).origin !== origin) complaints.push(`another origin: ${request.url()}`);
      });
      await page.goto(`${origin}/?${new URLSearchParams({ policy })}`);
      await page.waitForFunction(() => "mapPage" in globalThis);
      return page;
    },
    allowComplaints: (pattern) => void allowed.push(pattern),
  };
}

const html = `<!doctype html>
<html lang="en">
  <head><title>Map</title><script type="module" src="/page.js"></script></head>
  <body></body>
</html>`;

async function startServer(files: ReadonlyMap<string, Uint8Array>): Promise<Server> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://page");
    const content = pathname === "/" ? html : files.get(pathname.slice(1));
    const isIcon = pathname === "/favicon.ico";
    response.writeHead(content !== undefined ? 200 : isIcon ? 204 : 404, {
      "content-type": pathname === "/" ? "text/html; charset=utf-8" : (types[extname(pathname)] ?? "application/octet-stream"),
      "content-security-policy": `${strictPolicy}; ${searchParams.get("policy") ?? ""}`,
    });
    response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
