import { fromJson, type JsonObject } from "@bufbuild/protobuf";
import { createServiceClient, reasonOf, type ServiceClientOptions } from "@petak/client";
import { DirectoryService, FindNearestRequestSchema, PetakError, validateMessage } from "@petak/protocol";

/** How a call went: the sites found, nearest first; or why there are none. */
export type Found = { siteIds: string[] } | { reason: string | undefined; message: string };

/** Where and how to call. */
export type Gateway = Pick<ServiceClientOptions, "baseUrl" | "protocol" | "retry">;

/** How long a call may take, in ms: as long as a test may, nearly, since a machine under load is slow. */
const timeoutMs = 25_000;

/** Calls FindNearest as a checkout does, by its publishable key. */
export async function searchByKey(gateway: Gateway, publishableKey: string): Promise<Found> {
  const directory = createServiceClient(DirectoryService, { ...gateway, publishableKey, timeoutMs });
  try {
    const { options } = await directory.findNearest({
      origin: { latitude: 1.3, longitude: 103.8 },
      parcel: { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 },
    });
    return { siteIds: options.map(({ site }) => site?.siteId ?? "") };
  } catch (error) {
    return { reason: reasonOf(error), message: String(error) };
  }
}

/** The fields of a FindNearestRequest, given as JSON, that break a rule of the schema, with the rule. */
export function brokenRules(request: JsonObject): string[] {
  try {
    validateMessage(FindNearestRequestSchema, fromJson(FindNearestRequestSchema, request));
    return [];
  } catch (error) {
    if (!(error instanceof PetakError)) throw error;
    return error.fieldViolations.map(({ field, rule }) => `${field} ${rule}`);
  }
}
