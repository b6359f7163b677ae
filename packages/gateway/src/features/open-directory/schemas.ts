import { OperatorSchema, SiteAvailabilitySchema, SiteSchema } from "@petak/protocol";
import { type JsonSchema, schemasOf } from "@petak/protocol/description";
import { unpublishedFields } from "./public-site.ts";

/** The JSON schemas (2020-12) of the files, by name. Those of sites and of what is free are made of the protocol's messages. */
export function fileSchemas(): Record<"manifest" | "sites" | "availability", JsonSchema> {
  const operators = { type: "array", description: "The operators of the sites.", items: { $ref: "#/$defs/Operator" } };
  const sites = { type: "array", description: "The sites, in the order of their ids.", items: { $ref: "#/$defs/Site" } };
  const availabilities = {
    type: "array",
    description: "What is free at each site of sites.json. An UNKNOWN one has no counts.",
    items: { $ref: "#/$defs/SiteAvailability" },
  };
  return {
    manifest: fileSchema("The files of an open directory of parcel lockers and collection points.", manifestData),
    sites: withDefinitions(
      fileSchema("The sites of an open directory, without what is free there.", dataOf({ operators, sites })),
      schemasOf([SiteSchema, OperatorSchema], {
        ...naming,
        without: new Set(unpublishedFields.map((name) => `petak.v1.Site.${name}`)),
      }),
    ),
    availability: withDefinitions(
      fileSchema("What is free at the sites of an open directory.", dataOf({ availabilities })),
      schemasOf([SiteAvailabilitySchema], { ...naming, without: new Set(["petak.v1.SiteAvailability.published_at"]) }),
    ),
  };
}

const naming = { names: "proto", refTo: (name: string) => `#/$defs/${name}` } as const;

const pageUrl = {
  type: "string",
  format: "uri",
  description: "The site's page for people. Absent: it has none.",
};

/** The definitions, with the page of a site, which the operator of the gateway states and no message has. */
function withDefinitions(schema: JsonSchema, { Site: site, ...others }: Record<string, JsonSchema>): JsonSchema {
  if (site === undefined) return { ...schema, $defs: others };
  return { ...schema, $defs: { ...others, Site: { ...site, properties: { ...(site.properties as object), page_url: pageUrl } } } };
}

function fileSchema(title: string, data: JsonSchema): JsonSchema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title,
    type: "object",
    required: ["last_updated", "ttl", "version", "data"],
    properties: {
      last_updated: { type: "string", format: "date-time", description: "When the data changed last." },
      ttl: { type: "integer", minimum: 0, description: "After how many seconds the file may be another: do not ask sooner." },
      version: {
        type: "string",
        pattern: "^1\\.[0-9]+$",
        description:
          "The version of this format. Fields are added, and none is removed or changes its meaning, as long as the first number is the same.",
      },
      data,
    },
  };
}

function dataOf(properties: Record<string, JsonSchema>): JsonSchema {
  return { type: "object", required: Object.keys(properties), properties };
}

const address = { type: "string", format: "uri-reference" };

const manifestData: JsonSchema = {
  type: "object",
  required: ["licence", "files"],
  properties: {
    licence: {
      type: "object",
      description: "The licence of the data.",
      required: ["url"],
      properties: {
        id: { type: "string", description: "Its SPDX identifier, e.g. CC-BY-4.0." },
        url: { type: "string", format: "uri", description: "Where its text is." },
      },
    },
    publisher: { type: "string", description: "Whom users of the data have to name." },
    is_test: {
      type: "boolean",
      description: "Whether the sites are those of the test network, where no parcel can be brought. Absent: false.",
    },
    files: {
      type: "array",
      minItems: 1,
      items: {
        type: "object",
        required: ["name", "url", "schema_url", "ttl"],
        properties: {
          name: { type: "string", examples: ["sites", "availability", "sites_geojson"] },
          url: { ...address, description: "Where the file is, relative to the manifest." },
          schema_url: { ...address, description: "Where its schema is, relative to the manifest." },
          ttl: { type: "integer", minimum: 0, description: "As in the file." },
        },
      },
    },
  },
};
