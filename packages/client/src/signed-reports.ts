import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { CallOptions, Client } from "@connectrpc/connect";
import { reportClaims, reportText } from "@petak/credential";
import type { AgentService } from "@petak/protocol";
import { DeviceEventSchema, ReportEventsRequestSchema } from "@petak/protocol";
import type { RequestSigner } from "./request-signer.ts";

/**
 * Wraps the agent service so that it signs reports that have no signature yet. Agents sign their reports when the event happens; this is for other callers.
 */
export function withSignedReports(agents: Client<typeof AgentService>, signer: RequestSigner): Client<typeof AgentService> {
  return {
    ...agents,
    async reportEvents(request: MessageInitShape<typeof ReportEventsRequestSchema>, options?: CallOptions) {
      const { siteId = "", events = [] } = request;
      const signed = events.map(async (init) => {
        const event = create(DeviceEventSchema, init);
        if (event.signature.length > 0) return event;
        return { ...event, signature: await signer.sign(reportText(signer.keyId, reportClaims(siteId, event))) };
      });
      return await agents.reportEvents(
        create(ReportEventsRequestSchema, { ...request, siteId, events: await Promise.all(signed) }),
        options,
      );
    },
  };
}
