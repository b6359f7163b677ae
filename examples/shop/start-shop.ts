import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { bundlePicker, type PickerFiles } from "@petak/picker/bundle";
import { openAddresses } from "./addresses.ts";
import { followEvents } from "./follow-events.ts";
import { openOrderBook } from "./orders.ts";
import { createPlaces, type PlacesOptions } from "./places.ts";
import { createRoutes, type Reply, type RoutesOptions } from "./routes.ts";

export interface ShopOptions extends PlacesOptions, RoutesOptions {
  /** Default 127.0.0.1. */
  host?: string;
  /** 0: any free one. */
  port: number;
  /** How many orders are kept, in memory. Default 1000. */
  maxOrders?: number;
}

/** A shop that is open. */
export interface Shop {
  readonly url: string;
  stop(): Promise<void>;
}

/** Many times what a form of this shop has, in bytes. */
const maxFormBytes = 16_384;

const types: Readonly<Record<string, string>> = { css: "text/css", js: "text/javascript", svg: "image/svg+xml" };

/** The files of the pages, by path. The picker's are bundled once somebody visits the shop, which takes a second or two. */
async function readFiles(): Promise<(path: string) => Promise<Uint8Array | undefined>> {
  const files = new Map<string, Uint8Array>();
  for (const name of ["shop.css", "shop.js", "mark.svg"]) files.set(`/${name}`, await readFile(new URL(`public/${name}`, import.meta.url)));
  for (const name of ["ui.css", "tokens.css", "parts.css"]) {
    files.set(`/ui/${name}`, await readFile(fileURLToPath(import.meta.resolve(`@petak/ui/${name}`))));
  }
  let picker: Promise<PickerFiles> | undefined;
  return async (path) => {
    picker ??= bundlePicker();
    // Who asks for one of them hears it.
    picker.catch(() => undefined);
    return path.startsWith("/picker/") ? (await picker).get(path.slice("/picker/".length)) : files.get(path);
  };
}

/** Opens a shop. Throws if nobody can listen at its port. */
export async function startShop(options: ShopOptions): Promise<Shop> {
  const { gatewayUrl, host = "127.0.0.1", port, onError, maxOrders = 1000 } = options;
  const places = createPlaces(options);
  const book = openOrderBook(places, maxOrders);
  const answer = createRoutes(book, places, await openAddresses(), options);
  const fileAt = await readFiles();
  const { origin } = new URL(gatewayUrl);
  /** Nothing but the shop and the gateway, no inline script or style, and no other site may frame the pages or get their forms. */
  const policy = [
    "default-src 'none'; script-src 'self'; style-src 'self'",
    `connect-src 'self' ${origin}; img-src 'self' ${origin}`,
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  ].join("; ");

  async function reply(request: IncomingMessage): Promise<Reply> {
    const { method = "", headers } = request;
    const address = URL.parse(request.url ?? "", "http://shop");
    if (address === null) return { status: 400 };
    if (method === "GET" || method === "HEAD") {
      const file = await fileAt(address.pathname);
      if (file === undefined) return await answer.get(address);
      return { status: 200, body: file, type: types[address.pathname.split(".").at(-1) ?? ""] };
    }
    if (method !== "POST") return { status: 405 };
    // Browsers say where a form was. Another site's has no business here.
    if (!["same-origin", "none", undefined].includes(headers["sec-fetch-site"] as string | undefined)) return { status: 403 };
    if (!(Number(headers["content-length"]) <= maxFormBytes)) return { status: 413 };
    return await answer.post(address, new URLSearchParams(await text(request)));
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body = "", type = "text/html", location } = await reply(request);
    response
      .writeHead(status, {
        "content-type": `${type}; charset=utf-8`,
        "content-security-policy": policy,
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "cache-control": type === "text/html" ? "no-store" : "no-cache",
        ...(location !== undefined && { location }),
        // What was not read would be taken for the next request.
        ...(status === 413 && { connection: "close" }),
      })
      .end(body);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      onError(error as Error);
      if (!response.headersSent) response.writeHead(500).end();
    });
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
  const closing = new AbortController();
  const following = followEvents(book, places, options, closing.signal);
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    async stop() {
      closing.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await Promise.all([closed, following]);
    },
  };
}
