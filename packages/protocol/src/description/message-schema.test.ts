import { expect, it } from "vitest";
import {
  AgentService,
  BatchResultSchema,
  CommandService,
  CustodyService,
  DirectoryService,
  ParticipantService,
  ReservationService,
  SiteSchema,
  WebhookService,
} from "../index.ts";
import { schemasOf } from "./message-schema.ts";
import { openApiOf } from "./open-api.ts";

const options = { names: "json", refTo: (name: string) => `#/$defs/${name}` } as const;
const services = [DirectoryService, ReservationService, CustodyService, AgentService, CommandService, ParticipantService, WebhookService];

it("describes a message with its comments, its rules and all that it contains", () => {
  const { Site: site, ...others } = schemasOf([SiteSchema], options) as Record<string, never>;
  expect(site).toMatchObject({
    type: "object",
    description: "The facts of one site. They change seldom; free places are in SiteAvailability.",
    required: ["operatorSiteRef", "kind", "name", "position", "address", "timeZone", "openingHours", "sizeClasses"],
    properties: {
      operatorSiteRef: { type: "string", minLength: 1, maxLength: 64 },
      kind: { $ref: "#/$defs/SiteKind", description: "The kind of site. Required." },
      sizeClasses: { type: "array", minItems: 1, maxItems: 8, items: { $ref: "#/$defs/SizeClass" } },
      updatedAt: { type: "string", format: "date-time" },
      isTest: { type: "boolean" },
    },
  });
  expect(others).toMatchObject({
    SizeClass: { properties: { widthMm: { type: "integer", minimum: 1, maximum: 5000 } } },
    SiteKind: { type: "string", "x-extensible-enum": ["SITE_KIND_UNSPECIFIED", "SITE_KIND_PARCEL_TERMINAL", "SITE_KIND_COLLECTION_POINT"] },
    LatLng: { properties: { latitude: { type: "number", minimum: -90, maximum: 90 } } },
    Address: { required: ["countryCode"], properties: { countryCode: { pattern: "^[A-Z]{2}$" } } },
    OpeningHours: { description: expect.stringContaining("Rule: weekly must be empty when always_open is true.") },
    Terms: { properties: { freeStorage: { type: "string", examples: ["90s"] } } },
  });
});

it("allows one field of a oneof, or none", () => {
  const { BatchResult: result } = schemasOf([BatchResultSchema], options);
  const [choice] = (result as { allOf: { oneOf: object[] }[] }).allOf;
  expect(choice?.oneOf[0]).toEqual({ required: ["reserve"] });
  expect(choice?.oneOf.at(-1)).toMatchObject({ properties: { reserve: false } });
});

it("leaves fields out, and takes the names of the schema, where it is asked to", () => {
  const without = new Set(["petak.v1.Site.intake"]);
  const schemas = schemasOf([SiteSchema], { ...options, names: "proto", without }) as Record<string, { properties: object }>;
  expect(Object.keys(schemas)).not.toContain("SiteIntake");
  expect(Object.keys(schemas.Site?.properties ?? {})).toEqual(expect.arrayContaining(["site_id", "opening_hours"]));
});

it("describes each unary call of each service once, with its comment", () => {
  const { paths } = openApiOf(services, { version: "1.0" }) as {
    paths: Record<string, Record<string, { summary: string; tags: string[] }>>;
  };
  const unary = services.flatMap(({ typeName, methods }) =>
    methods.filter(({ methodKind }) => methodKind === "unary").map(({ name }) => `/${typeName}/${name}`),
  );
  expect(Object.keys(paths)).toEqual(unary);
  expect(Object.keys(paths["/petak.v1.DirectoryService/FindNearest"] ?? {})).toEqual(["get", "post"]);
  expect(Object.keys(paths["/petak.v1.ReservationService/Reserve"] ?? {})).toEqual(["post"]);
  for (const [path, { post }] of Object.entries(paths)) expect([path, post?.summary.length]).toEqual([path, expect.any(Number)]);
});

it("refers to nothing that it does not define", () => {
  const document = openApiOf(services, { version: "1.0" });
  const text = JSON.stringify(document);
  const refs = new Set([...text.matchAll(/"\$ref":"#\/([^"]*)"/g)].map(([, path = ""]) => path));
  for (const ref of refs) {
    const found = ref.split("/").reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], document);
    expect([ref, typeof found]).toEqual([ref, "object"]);
  }
});
