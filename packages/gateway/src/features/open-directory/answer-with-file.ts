import type { PlainAnswer, PlainRequest } from "../../transport/index.ts";
import type { PublishedFile } from "./published-file.ts";

/** For every web page: the files are the same for everybody, so no answer differs by origin. */
export const forEverybody = { "access-control-allow-origin": "*", "access-control-expose-headers": "etag", vary: "Accept-Encoding" };

/** The file, or 304 if the client has it. Each coding is another representation, so each has its own ETag. */
export function answerWithFile(
  { ifNoneMatch, acceptEncoding }: PlainRequest,
  contentType: string,
  file: PublishedFile,
  maxAgeS: number,
): PlainAnswer {
  const isGzip = acceptsGzip(acceptEncoding);
  const [etag, other] = isGzip ? [`"${file.hash}-gzip"`, `"${file.hash}"`] : [`"${file.hash}"`, `"${file.hash}-gzip"`];
  const headers = { ...forEverybody, etag, "cache-control": `public, max-age=${maxAgeS}` };
  const known = ifNoneMatch.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  // Either coding has the same content.
  if (known.some((tag) => tag === "*" || tag === etag || tag === other)) return { status: 304, contentType, body: "", headers };
  if (!isGzip) return { contentType, body: file.chunks, headers };
  return { contentType, body: file.gzip, headers: { ...headers, "content-encoding": "gzip" } };
}

/** Whether an Accept-Encoding names gzip, with another weight than 0. */
function acceptsGzip(acceptEncoding: string): boolean {
  return acceptEncoding.split(",").some((coding) => /^\s*(gzip|\*)\s*(;\s*q=(0\.\d*[1-9]\d*|1(\.0*)?)\s*)?$/i.test(coding));
}
