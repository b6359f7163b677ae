import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { bundlePicker, type PickerFiles } from "../../bundle/bundle.ts";

/** The picker's files, bundled once per test process. */
let bundle: Promise<PickerFiles> | undefined;

/** A shop's own server on a free port of this machine. */
export interface ShopServer extends AsyncDisposable {
  readonly origin: string;
  /** The address of a page whose body is this, under a policy that allows no foreign origin but the gateway's. @param root the attributes of `html` */
  page(body: string, root?: string): string;
  /** Answers other requests; false: not found. */
  answer: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** Starts a shop. @param connectTo the origins to which its pages may connect besides itself */
export async function startShopServer(connectTo = ""): Promise<ShopServer> {
  bundle ??= bundlePicker();
  const files = await bundle;
  const pages: { readonly body: string; readonly root: string }[] = [];
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://shop").pathname;
    const file = files.get(path.slice("/picker/".length));
    const page = pages[Number(/^\/page\/(\d+)$/.exec(path)?.[1] ?? Number.NaN)];
    if (file !== undefined && path.startsWith("/picker/")) {
      response.writeHead(200, { "content-type": "text/javascript; charset=utf-8", "cache-control": "max-age=3600" }).end(file);
    } else if (page !== undefined) {
      response
        .writeHead(200, {
          "content-type": "text/html; charset=utf-8",
          "content-security-policy": `default-src 'self'; connect-src 'self' ${connectTo}`,
        })
        .end(
          `<!doctype html><html ${page.root}><head><meta name="viewport" content="width=device-width"><title>Checkout</title></head><body>${page.body}</body></html>`,
        );
    } else if (path === "/order") {
      response
        .writeHead(200, { "content-type": "text/html; charset=utf-8" })
        .end("<!doctype html><html lang=en><title>Order</title><h1>Ordered</h1>");
    } else if (path === "/favicon.ico") {
      response.writeHead(204).end();
    } else if (!shop.answer(request, response)) {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const shop: ShopServer = {
    origin,
    page: (body, root = 'lang="en"') => `${origin}/page/${pages.push({ body, root }) - 1}`,
    answer: () => false,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
  return shop;
}
