import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { createPetakClient, createRequestSigner, generateKeyPair } from "@petak/client/node";
import {
  createTrustBundle,
  generateIssuerKey,
  hashPin,
  type IssuerKeyPair,
  type IssuerPublicKey,
  mintAccessToken,
  newPinKey,
  newTokenId,
} from "@petak/credential";
import {
  Act,
  AgentService,
  type Allowance,
  AllowanceSchema,
  type BundleAllowance,
  BundleAllowanceSchema,
  CodeStanding,
  type CourierKeySchema,
  type DeviceEvent,
  DeviceEventType,
  newReservationId,
  PetakError,
  ReportEventsRequestSchema,
  ReservationState,
  type ResolveCodeResponseSchema,
  SiteLifecycle,
  type SiteSchema,
  type SyncRequest,
  toConnectError,
  validateMessage,
} from "@petak/protocol";
import { onTestFinished } from "vitest";

export const siteId = "site_83652b_k3v9c0x2md00004k";
const hourMs = 3_600_000;

/** A fake gateway for one site's agent over real HTTP, which a test can inspect and break. */
export interface AgentGateway {
  readonly agents: ReturnType<typeof createPetakClient>["agents"];
  readonly issuerKey: IssuerKeyPair;
  /** Version of the trust bundles it returns. */
  bundleVersion: bigint;
  /** What it says of their end, in ms. Undefined: 7 days from now. */
  bundleNotAfterMs: number | undefined;
  /** Its trust bundle in place of one with the issuer's key, if it is set. */
  bundleKeys: readonly (IssuerPublicKey & { certificate?: string })[] | undefined;
  revocations: readonly string[];
  /** The lead of the time that it gives, in ms. */
  aheadMs: number;
  /** The site as it returns it. Its `revision` must change with it. */
  site: MessageInitShape<typeof SiteSchema>;
  /** The recorded reports. */
  readonly events: DeviceEvent[];
  readonly allowances: Allowance[];
  readonly bundles: BundleAllowance[];
  readonly courierKeys: MessageInitShape<typeof CourierKeySchema>[];
  /** False: as an earlier gateway. */
  takesHandoverLists: boolean;
  /** What it says of codes of labels. Of the others: UNKNOWN. */
  readonly standings: Map<string, MessageInitShape<typeof ResolveCodeResponseSchema>>;
  /** Responses of ResolveCode that are made from now on wait for it. */
  resolveResponses: Promise<void>;
  /** False: connections are closed. */
  isUp: boolean;
  /** Responses of Sync that are made from now on wait for it. */
  syncResponses: Promise<void>;
  /** Errors of the next calls. */
  failures: PetakError[];
  /** The received calls, by method. */
  readonly calls: string[];
  /** The received requests of Sync. */
  readonly syncs: SyncRequest[];
  /** Whether Sync claims that what it answers is a difference. */
  isDifference: boolean;
  /** Marks the allowances as changed. */
  changed(): void;
  newReservation(): string;
  token(
    act: Act,
    reservationId: string,
    changes?: {
      siteId?: string;
      isDelegated?: boolean;
      notBeforeMs?: number;
      expiresAtMs?: number;
      sizeClassIndex?: number;
      holderKeyHash?: string;
      issuerKey?: IssuerKeyPair;
    },
  ): Promise<string>;
  /** A token for SERVICE at the site, or at one of its doors. */
  serviceToken(holderKeyHash: string, compartmentId?: string): Promise<string>;
  allowPin(
    reservationId: string,
    pin: string,
    changes?: Partial<
      Pick<
        Allowance,
        | "act"
        | "state"
        | "notBefore"
        | "expiresAt"
        | "compartmentId"
        | "labelCodes"
        | "requirements"
        | "participantId"
        | "cashDue"
        | "purpose"
        | "sizeClassId"
      >
    >,
  ): Promise<void>;
  /** A bundle's token. */
  bundleToken(
    bundleId: string,
    changes?: { isDelegated?: boolean; tokenId?: string; siteId?: string; expiresAtMs?: number },
  ): Promise<string>;
  /** Adds or replaces the allowance of a bundle. */
  allowBundle(
    bundleId: string,
    reservationIds: string[],
    changes?: { pin?: string; revoked?: string[] } & Partial<Pick<BundleAllowance, "notBefore" | "expiresAt">>,
  ): Promise<void>;
  eventNames(): string[];
}

/** Starts the gateway; it stops with the running test. @param now the gateway's clock */
export async function startAgentGateway(now: () => number): Promise<AgentGateway> {
  const issuerKey = await generateIssuerKey();
  const pinKey = newPinKey();
  let version = 1n;
  const newBundle = () =>
    createTrustBundle({
      version: gateway.bundleVersion,
      keys: gateway.bundleKeys ?? [issuerKey],
      revocations: gateway.revocations,
      issuedAtMs: now() + gateway.aheadMs,
      notAfterMs: gateway.bundleNotAfterMs ?? now() + gateway.aheadMs + 7 * 24 * hourMs,
    });

  const gateway: AgentGateway = {
    agents: undefined as never,
    issuerKey,
    bundleVersion: 1n,
    bundleNotAfterMs: undefined,
    bundleKeys: undefined,
    revocations: [],
    aheadMs: 0,
    site: { siteId, sizeClasses: [{ sizeClassId: "S" }, { sizeClassId: "L" }], lifecycle: SiteLifecycle.ACTIVE, revision: 1 },
    events: [],
    allowances: [],
    bundles: [],
    courierKeys: [],
    takesHandoverLists: true,
    standings: new Map(),
    resolveResponses: Promise.resolve(),
    isUp: true,
    syncResponses: Promise.resolve(),
    failures: [],
    calls: [],
    syncs: [],
    isDifference: false,
    changed() {
      version += 1n;
    },
    newReservation: () => newReservationId("83652b"),
    token: (act, reservationId, changes = {}) =>
      mintAccessToken({
        issuerKey,
        act,
        siteId,
        reservationId,
        tokenId: newTokenId(),
        notBeforeMs: now() - 60_000,
        expiresAtMs: now() + 24 * hourMs,
        sizeClassIndex: 0,
        ...changes,
      }),
    serviceToken: (holderKeyHash, compartmentId = "") =>
      mintAccessToken({
        issuerKey,
        act: Act.SERVICE,
        siteId,
        compartmentId,
        holderKeyHash,
        notBeforeMs: now() - 60_000,
        expiresAtMs: now() + 8 * hourMs,
      }),
    async allowPin(reservationId, pin, changes = {}) {
      const pinHash = await hashPin(pinKey, pin);
      const times = { notBefore: timestampFromMs(now()), expiresAt: timestampFromMs(now() + 24 * hourMs) };
      const state = ReservationState.CONFIRMED;
      gateway.allowances.push(
        create(AllowanceSchema, { reservationId, act: Act.COLLECT, sizeClassId: "S", pinHash, state, ...times, ...changes }),
      );
      version += 1n;
    },
    bundleToken: (bundleId, changes = {}) =>
      mintAccessToken({
        issuerKey,
        act: Act.COLLECT,
        siteId,
        reservationId: "",
        bundleId,
        tokenId: newTokenId(),
        notBeforeMs: now() - 60_000,
        expiresAtMs: now() + 24 * hourMs,
        sizeClassIndex: 0,
        ...changes,
      }),
    async allowBundle(bundleId, reservationIds, { pin, revoked = [], ...changes } = {}) {
      const times = { notBefore: timestampFromMs(now()), expiresAt: timestampFromMs(now() + 24 * hourMs), ...changes };
      const right = pin === undefined ? {} : { pinHash: await hashPin(pinKey, pin), ...times };
      const index = gateway.bundles.findIndex((bundle) => bundle.bundleId === bundleId);
      gateway.bundles.splice(index < 0 ? gateway.bundles.length : index, 1);
      gateway.bundles.push(create(BundleAllowanceSchema, { bundleId, reservationIds, revokedCredentialHashes: revoked, ...right }));
      version += 1n;
    },
    eventNames: () =>
      gateway.events.map(({ type }) => Object.entries(DeviceEventType).find(([, value]) => value === type)?.[0] ?? String(type)),
  };

  function receive(method: string): void {
    gateway.calls.push(method);
    const failure = gateway.failures.shift();
    if (failure !== undefined) throw toConnectError(failure);
  }

  function routes(router: ConnectRouter): void {
    router.service(AgentService, {
      boot() {
        receive("boot");
        return {
          serverTime: timestampFromMs(now() + gateway.aheadMs),
          site: gateway.site,
          acknowledgedSequence: gateway.events.at(-1)?.sequence ?? 0n,
          pinKey,
          trustBundle: newBundle(),
          syncInterval: durationFromMs(30_000),
        };
      },
      async sync(request) {
        receive("sync");
        gateway.syncs.push(request);
        const { revision: siteRevision = 0 } = gateway.site;
        const serverTime = timestampFromMs(now());
        await gateway.syncResponses;
        return request.knownVersion === version
          ? { version, unchanged: true, siteRevision, serverTime, takesHandoverLists: gateway.takesHandoverLists }
          : {
              version,
              serverTime,
              allowances: gateway.allowances,
              bundles: gateway.bundles,
              courierKeys: gateway.courierKeys,
              takesHandoverLists: gateway.takesHandoverLists,
              trustBundle: newBundle(),
              siteRevision,
              versionTag: 7,
              isDifference: gateway.isDifference,
            };
      },
      async resolveCode({ code }) {
        receive("resolveCode");
        await gateway.resolveResponses;
        return gateway.standings.get(code) ?? { standing: CodeStanding.UNKNOWN };
      },
      reportEvents(request) {
        receive("reportEvents");
        validateMessage(ReportEventsRequestSchema, request);
        for (const event of request.events) {
          const expected = (gateway.events.at(-1)?.sequence ?? 0n) + 1n;
          if (event.sequence > expected) {
            throw toConnectError(new PetakError("SEQUENCE_GAP", "a gap", { metadata: { expected: String(expected) } }));
          }
          if (event.sequence === expected) gateway.events.push(event);
        }
        return { acknowledgedSequence: gateway.events.at(-1)?.sequence ?? 0n };
      },
    });
  }

  const handle = connectNodeAdapter({
    routes,
    interceptors: [
      (next) => async (request) => {
        try {
          return await next(request);
        } catch (error) {
          throw error instanceof PetakError ? toConnectError(error) : ConnectError.from(error);
        }
      },
    ],
  });
  const server = createServer((request, response) => {
    if (gateway.isUp) handle(request, response);
    else request.socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { privateJwk } = await generateKeyPair();
  const signer = createRequestSigner({ participantId: "par_a", keyId: "key_test_a", privateJwk, audience: "gateway" });
  const client = createPetakClient({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, signer, retry: false });
  onTestFinished(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(gateway, { agents: client.agents });
}
