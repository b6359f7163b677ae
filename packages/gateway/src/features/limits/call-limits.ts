import type { DescMethod, DescService } from "@bufbuild/protobuf";
import {
  AgentService,
  CreatePublishableKeyRequestSchema,
  DirectoryService,
  greatestOf,
  type Limit,
  LimitKind,
  ReservationService,
} from "@petak/protocol";
import { callLimit, type LimitSource } from "../participant/limit-source.ts";

/** Largest messages, in bytes. */
export interface MessageLimits {
  readonly readMaxBytes: number;
  readonly writeMaxBytes: number;
}

/** The list in each request that handles several items. */
const itemFields: readonly [DescMethod, string][] = [
  [ReservationService.method.batch, "calls"],
  [ReservationService.method.putBundle, "reservationIds"],
  [DirectoryService.method.getAvailability, "siteIds"],
  [DirectoryService.method.checkFit, "siteIds"],
  [DirectoryService.method.upsertSites, "sites"],
  [DirectoryService.method.retireSites, "siteIds"],
  [DirectoryService.method.reportCapacity, "sites"],
  [AgentService.method.reportEvents, "events"],
];

/** Limits on single calls. They are the same for every participant. @param services those whose lists in pages are limited */
export function callLimits({ readMaxBytes, writeMaxBytes }: MessageLimits, services: readonly DescService[]): LimitSource {
  const pagedMethods = services.flatMap(({ methods }) => methods).filter(({ input }) => input.field.pageSize !== undefined);
  const limits: readonly Limit[] = [
    callLimit(LimitKind.PUBLISHABLE_KEY_RATE, greatestOf(CreatePublishableKeyRequestSchema, "requestsPerSecond")),
    callLimit(LimitKind.REQUEST_BYTES, readMaxBytes),
    callLimit(LimitKind.RESPONSE_BYTES, writeMaxBytes),
    ...itemFields.map(([method, field]) => callLimit(LimitKind.REQUEST_ITEMS, greatestOf(method.input, field), { method: pathOf(method) })),
    ...pagedMethods.map((method) => callLimit(LimitKind.PAGE_ITEMS, greatestOf(method.input, "pageSize"), { method: pathOf(method) })),
  ];
  return () => limits;
}

/** A method's name as in the path of its calls. */
export function pathOf({ name, parent }: DescMethod): string {
  return `${parent.typeName}/${name}`;
}
