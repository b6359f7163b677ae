import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import { bundleStoreApp, type StoreAppFiles, storeAppPolicy } from "../../bundle/bundle.ts";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

/** The app's files, bundled once per test process. */
let bundle: Promise<StoreAppFiles> | undefined;

/** Answers a call to the agent. False: the request is for a file. */
export type OnCall = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;

/** Serves the app's files under its policy, as an agent does, on a free port of this machine. */
export async function startAppServer(onCall?: OnCall): Promise<{ readonly origin: string } & AsyncDisposable> {
  bundle ??= bundleStoreApp();
  const files = await bundle;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if ((await onCall?.(request, response)) === true) return;
    const name = request.url?.slice(1) ?? "";
    const file = name === "" ? "index.html" : name;
    const content = files.get(file);
    if (content === undefined) {
      response.writeHead(404).end();
      return;
    }
    const head = { "content-security-policy": storeAppPolicy, "content-type": types[extname(file)], "x-content-type-options": "nosniff" };
    response.writeHead(200, head).end(content);
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
