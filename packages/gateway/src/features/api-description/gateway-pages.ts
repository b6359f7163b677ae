import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { JsonSchema } from "@petak/protocol/description";
import type { PlainAnswer, PlainRequest, PlainRoute } from "../../transport/index.ts";
import { answerWithFile } from "../open-directory/answer-with-file.ts";
import { makePublishedFile, type PublishedFile } from "../open-directory/published-file.ts";
import { type FrontPageFacts, frontPage } from "./front-page.ts";
import { pagePolicy } from "./html.ts";
import { referencePage } from "./reference-page.ts";

/** How long caches may keep what changes with a release only, in s. */
const keptS = 3600;

const policy = { "content-security-policy": pagePolicy, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" };

const html = "text/html; charset=utf-8";

/** What people see of a gateway in a browser: the reference of the calls, and the style sheet of all pages. */
export function referenceRoutes(describe: () => JsonSchema): Map<string, PlainRoute> {
  return new Map([
    ["/openapi.json", once("application/json", () => `${JSON.stringify(describe())}\n`)],
    ["/reference", once(html, () => referencePage(describe()), policy)],
    ["/pages.css", once("text/css; charset=utf-8", readStyle)],
  ]);
}

/** The front page: for browsers in HTML, else the text of `plain`. */
export function frontPageRoute(plain: PlainRoute, facts: () => Promise<FrontPageFacts>): PlainRoute {
  let last: { files: unknown; others: string; file: Promise<PublishedFile> } | undefined;
  return async (request): Promise<PlainAnswer> => {
    if (!request.accept.includes("text/html")) return await plain(request);
    const shown = await facts();
    const { files, ...rest } = shown;
    const others = JSON.stringify(rest);
    // Drawn once for all who ask while the directory's files are the same.
    if (last === undefined || last.files !== files || last.others !== others) {
      last = { files, others, file: makePublishedFile([Buffer.from(frontPage(shown))]) };
    }
    const answer = answerWithFile(request, html, await last.file, 0);
    return { ...answer, headers: { ...answer.headers, ...policy, "cache-control": "no-cache", vary: "Accept, Accept-Encoding" } };
  };
}

/** Makes a file when it is asked for first, and keeps it. */
function once(contentType: string, make: () => string | Promise<string>, headers: Record<string, string> = {}): PlainRoute {
  let file: Promise<PublishedFile> | undefined;
  return async (request: PlainRequest) => {
    file ??= Promise.resolve(make()).then((content) => makePublishedFile([Buffer.from(content)]));
    const answer = answerWithFile(request, contentType, await file, keptS);
    return { ...answer, headers: { ...answer.headers, ...headers } };
  };
}

/** The shared style sheet with the files that it imports, and the pages' own. */
async function readStyle(): Promise<string> {
  const shared = fileURLToPath(import.meta.resolve("@petak/ui/ui.css"));
  const parts = ["tokens.css", "parts.css", "ui.css"].map((name) => readFile(join(dirname(shared), name), "utf8"));
  const own = readFile(new URL("pages.css", import.meta.url), "utf8");
  return (await Promise.all([...parts, own])).join("\n").replaceAll(/^@import .*$/gm, "");
}
