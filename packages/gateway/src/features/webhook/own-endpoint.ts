import { PetakError } from "@petak/protocol";
import type { StoredWebhook, WebhookStore } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";

/**
 * Finds an endpoint of the caller in the network of its key.
 *
 * @throws {PetakError} WEBHOOK_ENDPOINT_NOT_FOUND, also for the endpoint of another participant.
 */
export async function findOwnEndpoint(
  store: Pick<WebhookStore, "find">,
  endpointId: string,
  { participantId, mode }: ParticipantCaller,
): Promise<StoredWebhook> {
  const endpoint = await store.find(endpointId);
  if (endpoint === undefined || endpoint.participantId !== participantId || endpoint.mode !== mode) {
    const message = `webhook endpoint ${JSON.stringify(endpointId)} does not exist, or the caller may not see it`;
    throw new PetakError("WEBHOOK_ENDPOINT_NOT_FOUND", message, { metadata: { endpoint_id: endpointId } });
  }
  return endpoint;
}
