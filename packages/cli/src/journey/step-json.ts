import { type DescMessage, type JsonValue, type MessageShape, toJson } from "@bufbuild/protobuf";
import {
  BundleSchema,
  EventSchema,
  IssueCredentialResponseSchema,
  ReservationSchema,
  SiteOptionSchema,
  SiteSummarySchema,
} from "@petak/protocol";
import type { Step } from "./step.ts";

const schemas: Readonly<Record<string, DescMessage>> = {
  options: SiteOptionSchema,
  reservation: ReservationSchema,
  site: SiteSummarySchema,
  bundle: BundleSchema,
  credential: IssueCredentialResponseSchema,
  events: EventSchema,
};

/** A step as JSON, with messages in the protocol's JSON. */
export function stepJson(step: Step): JsonValue {
  return Object.fromEntries(Object.entries(step).map(([name, value]) => [name, valueJson(schemas[name], value)]));
}

function valueJson(schema: DescMessage | undefined, value: unknown): JsonValue {
  if (schema === undefined || value === undefined) return (value ?? null) as JsonValue;
  if (Array.isArray(value)) return value.map((item) => valueJson(schema, item));
  return toJson(schema, value as MessageShape<DescMessage>);
}
