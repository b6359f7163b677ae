/** A page that searches as a checkout does: with a publishable key, with retries, and with the reason of a refusal. */
import { createServiceClient, reasonOf } from "@petak/client";
import { DirectoryService } from "@petak/protocol";

export async function nearest(baseUrl: string, publishableKey: string, latitude: number, longitude: number): Promise<string[]> {
  const directory = createServiceClient(DirectoryService, { baseUrl, publishableKey });
  try {
    const { options } = await directory.findNearest({ origin: { latitude, longitude } });
    return options.map(({ site }) => site?.name ?? "");
  } catch (error) {
    return [reasonOf(error) ?? String(error)];
  }
}
