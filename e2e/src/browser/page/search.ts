import { fromJson, type JsonObject } from "@bufbuild/protobuf";
import { createServiceClient, reasonOf, type ServiceClientOptions } from "@petak/client";
import { DirectoryService, FindNearestRequestSchema, PetakError, validateMessage } from "@petak/protocol";

/** The result of a call: the sites found, nearest first, or the reason why there are none. */
export type Found = { siteIds: string[] } | { reason: string | undefined; message: string };

/** The address and the options of calls. */
export type Gateway = Pick<ServiceClientOptions, "baseUrl" | "protocol" | "retry">;

/** Timeout of a call, in ms: many times what it takes, because a machine under load is slow. */
const timeoutMs = 60_000;

/** Calls FindNearest with a publishable key, as a checkout does. */
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

/** The fields of a FindNearestRequest, given as JSON, that break a rule of the schema, each with its rule. */
export function brokenRules(request: JsonObject): string[] {
  try {
    validateMessage(FindNearestRequestSchema, fromJson(FindNearestRequestSchema, request));
    return [];
  } catch (error) {
    if (!(error instanceof PetakError)) throw error;
    return error.fieldViolations.map(({ field, rule }) => `${field} ${rule}`);
  }
}
