import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** A local web origin that serves a page with one script. */
export interface PageServer extends AsyncDisposable {
  /** Its origin, e.g. `http://127.0.0.1:40123`. */
  readonly origin: string;
  /** The other origins that the page may call, from its next load on. Default none. */
  allowedOrigins: readonly string[];
}

const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Petak in a browser</title></head><body><script type="module" src="/main.js"></script></body></html>
`;

let testScript: Promise<string> | undefined;

/** Bundles a script for browsers from a file or a text. */
async function bundle(entry: { path: string } | { source: string }): Promise<string> {
  const input =
    "path" in entry
      ? { entryPoints: [entry.path] }
      : { stdin: { contents: entry.source, loader: "ts" as const, resolveDir: import.meta.dirname } };
  const { outputFiles } = await build({
    ...input,
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "chrome137",
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}

/** The test page's script, bundled once per test process. */
function bundleTestScript(): Promise<string> {
  testScript ??= bundle({ path: fileURLToPath(new URL("page/main.ts", import.meta.url)) });
  return testScript;
}

/**
 * Serves a page under a content security policy that allows its own script and calls to named origins, and nothing else: no inline script,
 * no `eval`, no other origin.
 *
 * @param sourceFor returns another script, in TypeScript, for the origin of the page. Default: the test page's own
 */
export async function startPageServer(sourceFor?: (origin: string) => Promise<string>): Promise<PageServer> {
  let main = "";
  let allowedOrigins: readonly string[] = [];
  const server = createServer((request, response) => {
    const policy = `default-src 'none'; script-src 'self'; connect-src ${["'self'", ...allowedOrigins].join(" ")}`;
    response.setHeader("content-security-policy", policy);
    if (request.url === "/") return response.setHeader("content-type", "text/html; charset=utf-8").end(html);
    if (request.url === "/main.js") return response.setHeader("content-type", "text/javascript; charset=utf-8").end(main);
    // Browsers request an icon from each site.
    response.statusCode = request.url === "/favicon.ico" ? 204 : 404;
    return response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  main = await (sourceFor === undefined ? bundleTestScript() : bundle({ source: await sourceFor(origin) }));
  return {
    origin,
    get allowedOrigins() {
      return allowedOrigins;
    },
    set allowedOrigins(origins) {
      allowedOrigins = origins;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
