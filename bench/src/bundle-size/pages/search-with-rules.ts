/** A page that also validates the request before it sends it. */
import { create } from "@bufbuild/protobuf";
import { createServiceClient } from "@petak/client";
import { DirectoryService, FindNearestRequestSchema, validateMessage } from "@petak/protocol";

export async function nearest(baseUrl: string, publishableKey: string, latitude: number, longitude: number): Promise<string[]> {
  const request = create(FindNearestRequestSchema, { origin: { latitude, longitude } });
  validateMessage(FindNearestRequestSchema, request);
  const { options } = await createServiceClient(DirectoryService, { baseUrl, publishableKey }).findNearest(request);
  return options.map(({ site }) => site?.name ?? "");
}
