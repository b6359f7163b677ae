/** A page that searches with Connect's own client. */
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { DirectoryService } from "@petak/protocol";

export async function nearest(baseUrl: string, latitude: number, longitude: number): Promise<string[]> {
  const directory = createClient(DirectoryService, createConnectTransport({ baseUrl }));
  const { options } = await directory.findNearest({ origin: { latitude, longitude } });
  return options.map(({ site }) => site?.name ?? "");
}
