import type { DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import { AgentService, CustodyService, DirectoryService, ParticipantService, ReservationService, WebhookService } from "@petak/protocol";
import { Health, ServerReflectionV1, ServerReflectionV1Alpha } from "@petak/protocol/grpc";
import { TestClockService } from "@petak/protocol/test-clock";
import { createAgentService } from "../features/agent/service.ts";
import { createEventView } from "../features/custody/event-view.ts";
import { createReceipts } from "../features/custody/receipts/receipts.ts";
import { createCustodyService } from "../features/custody/service.ts";
import { createDirectoryService } from "../features/directory/service.ts";
import { createParticipantService } from "../features/participant/service.ts";
import { createCredentialIssuer } from "../features/reservation/credential-issuer.ts";
import { createReservationService } from "../features/reservation/service.ts";
import type { MoveTestClockDependencies } from "../features/test-clock/move-test-clock.ts";
import { createTestClockService } from "../features/test-clock/service.ts";
import type { WebhookSending } from "../features/webhook/delivery/webhook-sending.ts";
import { createWebhookService } from "../features/webhook/service.ts";
import type { Authenticator } from "../identity/index.ts";
import { createHealth, createReflection, defaultCallLimits, type GatewayHealth } from "../transport/index.ts";
import type { ConnectedStore } from "./connect-store.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import type { OpenFeeds } from "./open-feeds.ts";
import type { OpenRecords } from "./open-records.ts";
import type { OpenSecrets } from "./open-secrets.ts";
import { whenDurable } from "./when-durable.ts";

/** The services of the protocol that a gateway offers. */
export const services = [DirectoryService, ReservationService, CustodyService, AgentService, ParticipantService, WebhookService];

/** Services that require no caller, because they reveal nothing about the network: health and reflection. */
export const publicServices: ReadonlySet<string> = new Set([
  Health.typeName,
  ServerReflectionV1.typeName,
  ServerReflectionV1Alpha.typeName,
]);

/** The parts of a gateway from which its services are created. */
export interface ServiceParts extends OpenRecords, OpenFeeds, Pick<OpenSecrets, "secrets"> {
  readonly store: ConnectedStore;
  readonly webhooks: WebhookSending;
  readonly authenticator: Authenticator;
  /** Present if the gateway has a test clock. */
  readonly testClock: MoveTestClockDependencies | undefined;
  /** Aborted when the gateway stops: ends long polls and streams. */
  readonly stopping: AbortSignal;
}

/** The routes of all services, and the health that they report. */
export interface ServedServices {
  routes(router: ConnectRouter): void;
  readonly health: GatewayHealth;
}

/** Creates the services. Their changes are acknowledged once the store's durability level is reached. */
export function createServices(parts: ServiceParts, options: GatewayOptions): ServedServices {
  const { store, search, secrets, siteCache, termsBook, keyDirectory, participants, feeds, reader, webhooks } = parts;
  const { records } = parts.archive;
  const { audience, now = Date.now } = options;
  const { derivationKey } = secrets;
  const health = createHealth(services.map(({ typeName }) => typeName));
  const reflection = createReflection([...services, Health]);
  const credentials = createCredentialIssuer(secrets);
  const receipts = createReceipts(secrets);
  const maxConcurrentCalls = options.callLimits?.maxConcurrentCalls ?? defaultCallLimits.maxConcurrentCalls;
  return {
    health,
    routes(router) {
      const serve = <Service extends DescService>(service: Service, implementation: ServiceImpl<Service>) =>
        router.service(service, whenDurable(service, implementation, store.acknowledgements));
      serve(DirectoryService, createDirectoryService({ search, records, siteCache, termsBook, now }));
      serve(
        ReservationService,
        createReservationService({ ...options, search, records, siteCache, termsBook, credentials, receipts, reader, now }),
      );
      serve(
        CustodyService,
        createCustodyService({
          records,
          keys: keyDirectory,
          receipts,
          feeds,
          reader,
          view: createEventView(audience, siteCache),
          now,
          stopping: parts.stopping,
          stillValid: parts.authenticator.recheck,
          waitingPollsMax: Math.ceil(maxConcurrentCalls / 2),
        }),
      );
      const syncIntervalMs = options.agentSyncIntervalMs;
      serve(AgentService, createAgentService({ records, secrets, keys: keyDirectory, receipts, now, syncIntervalMs, termsBook }));
      serve(ParticipantService, createParticipantService({ records, participants, keyDirectory, now }));
      serve(WebhookService, createWebhookService({ ...webhooks, records, derivationKey, now }));
      if (parts.testClock !== undefined) serve(TestClockService, createTestClockService(parts.testClock));
      health.routes(router);
      reflection.routes(router);
    },
  };
}
