import type { PlainRoute } from "../../transport/index.ts";
import { answerWithFile, forEverybody } from "./answer-with-file.ts";
import { filesTtlS, formatVersion, type PublishedFiles } from "./builder.ts";
import type { DirectoryOptions } from "./options.ts";
import type { PublishedDirectory } from "./published-directory.ts";
import type { PublishedFile } from "./published-file.ts";
import { fileSchemas } from "./schemas.ts";

/** Where the open directory is. */
export const directoryPath = "/feed/v1";

const dayS = 86_400;

/** Creates the pages of the open directory: the files, a list of them, and their schemas. */
export function createDirectoryRoutes(
  published: PublishedDirectory,
  options: DirectoryOptions,
  now: () => number,
): Map<string, PlainRoute> {
  const file = (contentType: string, of: (snapshot: PublishedFiles) => PublishedFile): PlainRoute => {
    return async (request) => {
      const snapshot = await published.current();
      const ageS = Math.floor(Math.abs(now() - snapshot.builtMs) / 1000);
      return answerWithFile(request, contentType, of(snapshot), Math.max(0, filesTtlS - ageS));
    };
  };
  const fixed = (contentType: string, content: string): PlainRoute => {
    const headers = { ...forEverybody, "cache-control": `public, max-age=${dayS}` };
    return () => ({ contentType, body: content, headers });
  };
  return new Map<string, PlainRoute>([
    [`${directoryPath}/manifest.json`, fixed("application/json", manifest(options, now()))],
    [`${directoryPath}/sites.json`, file("application/json", ({ sites }) => sites)],
    [`${directoryPath}/availability.json`, file("application/json", ({ availability }) => availability)],
    [`${directoryPath}/sites.geojson`, file("application/geo+json", ({ geojson }) => geojson)],
    ...Object.entries(fileSchemas()).map(([name, schema]): [string, PlainRoute] => [
      schemaPath(name),
      fixed("application/schema+json", `${JSON.stringify(schema, undefined, 2)}\n`),
    ]),
  ]);
}

function schemaPath(name: string): string {
  return `${directoryPath}/schemas/${name}.schema.json`;
}

/** The list of files. Its addresses are relative to its own, since a gateway does not know under which names it is reached. */
function manifest({ licence, publisher, network }: DirectoryOptions, nowMs: number): string {
  const isUrl = licence.startsWith("https://");
  const content = {
    last_updated: new Date(nowMs).toISOString(),
    ttl: dayS,
    version: formatVersion,
    data: {
      licence: isUrl ? { url: licence } : { id: licence, url: `https://spdx.org/licenses/${licence}.html` },
      ...(publisher === "" ? {} : { publisher }),
      ...(network === "test" ? { is_test: true } : {}),
      files: [
        { name: "sites", url: "sites.json", schema_url: "schemas/sites.schema.json", ttl: filesTtlS },
        { name: "availability", url: "availability.json", schema_url: "schemas/availability.schema.json", ttl: filesTtlS },
        { name: "sites_geojson", url: "sites.geojson", schema_url: "https://geojson.org/schema/FeatureCollection.json", ttl: filesTtlS },
      ],
    },
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}
