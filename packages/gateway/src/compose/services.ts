import type { DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import {
  AgentService,
  AuditService,
  CommandService,
  CustodyService,
  DirectoryService,
  ParticipantService,
  ReservationService,
  WebhookService,
} from "@petak/protocol";
import { Health } from "@petak/protocol/grpc";
import { SandboxService } from "@petak/protocol/sandbox";
import { TestClockService } from "@petak/protocol/test-clock";
import {
  createAgentLeases,
  createCommandKeyStore,
  createCommands,
  createEnrolments,
  createParticipantEvents,
  createSiteAgents,
} from "@petak/records";
import { createAgentService } from "../features/agent/service.ts";
import { audited } from "../features/audit/audited.ts";
import { createAuditService } from "../features/audit/service.ts";
import { createChoices } from "../features/choice/choices.ts";
import { defaultCommandLimits } from "../features/command/count-commands.ts";
import { createCommandService } from "../features/command/service.ts";
import { createSiteSignals } from "../features/command/site-signals.ts";
import { createEventView } from "../features/custody/event-view.ts";
import { createReceipts } from "../features/custody/receipts/receipts.ts";
import { createCustodyService } from "../features/custody/service.ts";
import { createDirectoryService } from "../features/directory/service.ts";
import { createCodeTries } from "../features/enrolment/code-tries.ts";
import { createPinRotation } from "../features/enrolment/pin-rotation.ts";
import { createReservationChanges } from "../features/idempotency/change-reservation.ts";
import { createLimitSources } from "../features/limits/limit-sources.ts";
import type { SharedParts } from "../features/limits/share-limits.ts";
import { createParticipantService } from "../features/participant/service.ts";
import { createCredentialIssuer } from "../features/reservation/credential-issuer.ts";
import { allowanceOf } from "../features/reservation/hold-allowance.ts";
import { createHoldTotals } from "../features/reservation/hold-totals.ts";
import { createReservationService } from "../features/reservation/service.ts";
import { createSandboxService } from "../features/sandbox/service.ts";
import type { MoveTestClockDependencies } from "../features/test-clock/move-test-clock.ts";
import { createTestClockService } from "../features/test-clock/service.ts";
import type { WebhookSending } from "../features/webhook/delivery/webhook-sending.ts";
import { createWebhookService } from "../features/webhook/service.ts";
import type { Authenticator } from "../identity/index.ts";
import type { Tracing } from "../observability/index.ts";
import { createEpochProofs } from "../secrets/epoch-proofs.ts";
import { createHealth, createReflection, defaultCallLimits, type GatewayHealth } from "../transport/index.ts";
import type { ConnectedStore } from "./connect-store.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import type { OpenFeeds } from "./open-feeds.ts";
import type { OpenRecords } from "./open-records.ts";
import type { OpenSecrets } from "./open-secrets.ts";
import { traced } from "./traced.ts";
import { whenDurable } from "./when-durable.ts";

/** The services of the protocol that a gateway offers. */
export const services = [
  DirectoryService,
  ReservationService,
  CustodyService,
  AgentService,
  CommandService,
  ParticipantService,
  WebhookService,
  AuditService,
];

/** The services that a gateway describes: those of the protocol, and its sandbox's. */
export function servicesOf({ sandboxHost }: Pick<GatewayOptions, "sandboxHost">): readonly DescService[] {
  return sandboxHost === undefined ? services : [...services, SandboxService];
}

/** The parts of a gateway from which its services are created. */
export interface ServiceParts extends OpenRecords, OpenFeeds, Pick<OpenSecrets, "secrets"> {
  readonly store: ConnectedStore;
  readonly webhooks: WebhookSending;
  readonly authenticator: Authenticator;
  readonly shares: SharedParts;
  /** Present if the gateway has a test clock. */
  readonly testClock: MoveTestClockDependencies | undefined;
  readonly tracing: Tracing | undefined;
  /** Aborted when the gateway stops: ends long polls and streams. */
  readonly stopping: AbortSignal;
}

/** The routes of all services, and the health that they report. */
export interface ServedServices {
  routes(router: ConnectRouter): void;
  readonly health: GatewayHealth;
}

/** Creates the services. Their changes are acknowledged once the store's durability level is reached. */
export function createServices(parts: ServiceParts, options: GatewayOptions & { audience: string }): ServedServices {
  const { store, search, secrets, siteCache, termsBook, keyDirectory, participants, feeds, reader, webhooks } = parts;
  const { operatorLinks, operatorNames, shares } = parts;
  const { records } = parts.archive;
  const { audience, now = Date.now } = options;
  const { derivationKey } = secrets;
  const offered = servicesOf(options);
  const health = createHealth(services.map(({ typeName }) => typeName));
  const reflection = options.reflection === true ? createReflection([...offered, Health]) : undefined;
  const credentials = createCredentialIssuer(secrets, records.pinKeys);
  const receipts = createReceipts(secrets);
  const choices = createChoices(secrets);
  const pinRotation = createPinRotation({ records, changes: createReservationChanges(records, receipts), now });
  const participantEvents = createParticipantEvents(store.writer, store.keys, records.events);
  const enrolments = createEnrolments(store.writer, store.keys);
  const leases = createAgentLeases(store.writer, store.keys, records.siteIds);
  const siteAgents = createSiteAgents(store.writer, store.keys, records.siteIds);
  const commanding = { commands: createCommands(store.writer, store.keys), commandKeys: createCommandKeyStore(store.writer, store.keys) };
  const { auditLog } = records;
  const auditing = { auditLog, participants };
  const signals = createSiteSignals({
    reader,
    feeds,
    stopping: parts.stopping,
    onError: (error) => store.watch.logFailure("nudges", error),
  });
  const callLimits = { ...defaultCallLimits, ...options.callLimits };
  const tries = createCodeTries(now, callLimits.failedAuthenticationsMax);
  const allowance = allowanceOf(options);
  const holdTotals = createHoldTotals(records.heldCounts, now, (error) => store.watch.logFailure("the count of holds", error));
  const limitSources = createLimitSources({
    holds: { counts: records.heldCounts, sites: records.sites, allowance },
    queues: records.queues,
    webhooks: webhooks.store,
    messages: callLimits,
    services,
    shares,
    quotas: records.quotaUsage,
    auditLog,
  });
  return {
    health,
    routes(router) {
      const serve = <Service extends DescService>(service: Service, implementation: ServiceImpl<Service>) => {
        const recorded = audited(service, implementation, auditing);
        router.service(service, traced(service, whenDurable(service, recorded, store.acknowledgements), parts.tracing));
      };
      serve(
        DirectoryService,
        createDirectoryService({
          search,
          records,
          siteCache,
          termsBook,
          participants,
          operatorLinks,
          operatorNames,
          choices,
          growth: store.fill,
          now,
        }),
      );
      serve(
        ReservationService,
        createReservationService(
          {
            ...options,
            search,
            records,
            holdTotals,
            allowance,
            siteCache,
            termsBook,
            operatorNames,
            credentials,
            choices,
            receipts,
            reader,
            growth: store.fill,
            now,
          },
          shares.batches,
          (calls) => audited(ReservationService, calls, auditing),
        ),
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
          polls: shares.polls,
          streams: shares.streams,
        }),
      );
      const syncIntervalMs = options.agentSyncIntervalMs;
      const enrolling = {
        enrolments,
        siteAgents,
        leases,
        epochProofs: createEpochProofs(secrets),
        pinRotation,
        participants,
        participantEvents,
        keyDirectory,
        auditLog,
        audience,
        now,
      };
      serve(
        AgentService,
        createAgentService({
          ...enrolling,
          ...commanding,
          logger: options.logger,
          records,
          secrets,
          keys: keyDirectory,
          receipts,
          syncIntervalMs,
          termsBook,
          operatorNames,
          tries,
          signals,
          stopping: parts.stopping,
          stillValid: parts.authenticator.recheck,
        }),
      );
      serve(
        CommandService,
        createCommandService({
          ...enrolling,
          ...commanding,
          records,
          commandLimits: { ...defaultCommandLimits, ...options.commandLimits },
        }),
      );
      serve(
        ParticipantService,
        createParticipantService({ ...enrolling, records, pinKeys: records.pinKeys, operatorLinks, limitSources, derivationKey }),
      );
      serve(WebhookService, createWebhookService({ ...webhooks, records, derivationKey, now }));
      serve(AuditService, createAuditService(auditLog));
      if (options.sandboxHost !== undefined) serve(SandboxService, createSandboxService(options.sandboxHost));
      if (parts.testClock !== undefined) serve(TestClockService, createTestClockService(parts.testClock));
      health.routes(router);
      reflection?.routes(router);
    },
  };
}
