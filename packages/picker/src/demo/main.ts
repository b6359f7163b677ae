/** The program behind `npm run picker:demo`: serves a page with the picker. Its files are read anew at each load, so that a change is seen at once. */
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { bundlePicker } from "../bundle/bundle.ts";

const [, , gateway = "", publishableKey = "", port = "0"] = process.argv;
const pageTypes: Readonly<Record<string, string>> = {
  "page.html": "text/html; charset=utf-8",
  "page.css": "text/css; charset=utf-8",
  "page.js": "text/javascript; charset=utf-8",
};
const bundle = await bundlePicker();

/** A file of the page or of the picker, with its type. */
async function fileOf(path: string): Promise<{ type: string; content: string | Uint8Array } | undefined> {
  const name = path === "/" ? "page.html" : path.slice(1);
  const type = pageTypes[name];
  if (type !== undefined) {
    const text = await readFile(join(import.meta.dirname, name), "utf8");
    return { type, content: text.replace("GATEWAY", gateway).replace("PUBLISHABLE_KEY", publishableKey) };
  }
  const content = bundle.get(path.slice("/petak/".length));
  return content && path.startsWith("/petak/") ? { type: "text/javascript; charset=utf-8", content } : undefined;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  // What is no address has no file.
  const path = URL.parse(request.url ?? "/", "http://shop")?.pathname ?? "";
  const file = await fileOf(path).catch(() => undefined);
  response.setHeader("content-security-policy", `default-src 'self'; connect-src 'self' ${gateway}`);
  // Browsers ask each site for an icon.
  if (file === undefined) response.writeHead(path === "/favicon.ico" ? 204 : 404).end();
  else response.writeHead(200, { "content-type": file.type }).end(file.content);
}

const server = createServer((request, response) => void answer(request, response));
server.on("error", ({ message }) => {
  process.stderr.write(`The page of the picker cannot be served: ${message}. Choose another port by --port.\n`);
  process.exit(1);
});
server.listen(Number(port), "127.0.0.1", () => {
  process.stdout.write(`
  The picker:    http://127.0.0.1:${(server.address() as AddressInfo).port}
  Its gateway:   ${gateway}
  Its key:       ${publishableKey}

  Change the parcel, the point or anything else in ${join(import.meta.dirname, "page.html")},
  the price in page.js beside it, and load the page again. docs/guides/picker.md has all attributes. Stop with Ctrl-C.

`);
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(0));
