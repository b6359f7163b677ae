import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { gatewayTerms, participantParty, transitionTo } from "@petak/lifecycle";
import {
  ConfirmRequestSchema,
  type ConfirmResponse,
  type Reservation,
  type ReservationService,
  ReservationState,
  ReserveRequestSchema,
  type ReserveResponse,
} from "@petak/protocol";
import {
  createOperatorNames,
  createParticipantStore,
  createSiteCache,
  createTermsBook,
  createTermsStore,
  type OperatorNames,
  type SiteCache,
  type TermsBook,
} from "@petak/records";
import { createSearchableRecords, type SearchableRecords } from "@petak/records/testing/candidates";
import { createKeys, type RedisConnection } from "@petak/redis";
import { createFrozenClock, type FrozenClock, makeSite, type TestRedis, tempDir, testStoreCode } from "@petak/testkit";
import { onTestFinished } from "vitest";
import type { ParticipantCaller } from "../../../identity/index.ts";
import { contextOf } from "../../../identity/testing/test-caller.ts";
import { type GatewaySecrets, loadGatewaySecrets } from "../../../secrets/gateway-secrets.ts";
import { createChoices } from "../../choice/choices.ts";
import { createReceipts, type Receipts } from "../../custody/receipts/receipts.ts";
import type { FeedReader } from "../../feed/feed-reader.ts";
import { type CredentialIssuer, createCredentialIssuer } from "../credential-issuer.ts";
import { type ReservationDependencies, type ReservationParts, reservationDependencies } from "../dependencies.ts";
import { allowanceOf } from "../hold-allowance.ts";
import { createHoldTotals } from "../hold-totals.ts";
import { createReservationService } from "../service.ts";

const dayMs = 86_400_000;

/** Default duration of a hold, in ms. */
export const holdDefaultMs = 900_000;

/** Time for the collection without an extension, in ms. */
const collectWithinMs = 3 * dayMs;

/** Fits every place of {@link ReservationWorld.putSite}. */
export const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };

/** The reservation service of one gateway, with its dependencies. ListReservations is not available. */
export interface ReservationGateway {
  readonly records: SearchableRecords;
  readonly siteCache: SiteCache;
  readonly termsBook: TermsBook;
  readonly operatorNames: OperatorNames;
  readonly credentials: CredentialIssuer;
  readonly service: ServiceImpl<typeof ReservationService>;
  /** Dependencies of the service's handlers. */
  readonly dependencies: ReservationDependencies;
  /** Reserves at a site for the {@link parcel}. `more` overrides fields of the request. */
  reserve(siteId: string, more?: MessageInitShape<typeof ReserveRequestSchema>): Promise<Reservation>;
  confirm(reservationId: string): Promise<Reservation>;
  /** Records the deposit of a confirmed reservation's parcel, which can then be collected for three days. */
  deposit(reservationId: string): Promise<Reservation>;
}

/** Stores of one test, and gateways over them that share secrets and a frozen clock. */
export interface ReservationWorld {
  readonly clock: FrozenClock;
  /** A connection for any number of gateways. Closed with the test. */
  readonly connection: RedisConnection;
  readonly secrets: GatewaySecrets;
  readonly receipts: Receipts;
  /** Context of calls by the world's caller. */
  readonly context: HandlerContext;
  /** A gateway that is never interrupted. */
  readonly steady: ReservationGateway;
  /** Creates a gateway over another connection. */
  over(connection: RedisConnection): ReservationGateway;
  /** Puts a site with places of one size class, `M`. Returns its id. */
  putSite(places: number, facts?: { ref?: string; latitude?: number }): Promise<string>;
}

/** Opens stores under a test's key prefix, and a gateway for calls by one participant. */
export async function openReservationWorld(redis: TestRedis, caller: ParticipantCaller): Promise<ReservationWorld> {
  const clock = createFrozenClock(1_800_000_000_000);
  const secrets = await loadGatewaySecrets(join(await tempDir(), "secrets.json"), clock.now);
  const receipts = createReceipts(secrets);
  const context = contextOf(caller);
  const connection = await openForMany(redis);

  // Read beside the calls, so not over a connection whose commands a test counts.
  const { heldCounts } = createSearchableRecords({ redis: connection, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
  const holdTotals = createHoldTotals(heldCounts, clock.now, (error) => {
    throw error;
  });

  function over(redisConnection: RedisConnection): ReservationGateway {
    const records = createSearchableRecords({ redis: redisConnection, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
    const siteCache = createSiteCache(records.sites);
    const terms = gatewayTerms({ collectWithinMs, storageMaxMs: 14 * dayMs });
    const termsBook = createTermsBook(createTermsStore(redisConnection, records.terms, createKeys(redis.keyPrefix)), terms, clock.now);
    const operatorNames = createOperatorNames(createParticipantStore(redisConnection, createKeys(redis.keyPrefix)), clock.now);
    const credentials = createCredentialIssuer(secrets, records.pinKeys);
    const parts: ReservationParts = {
      search: records,
      records,
      siteCache,
      termsBook,
      operatorNames,
      credentials,
      choices: createChoices(secrets),
      receipts,
      holdTotals,
      allowance: allowanceOf({ holdsSitePercent: 100 }),
      // These tests do not list.
      reader: {} as FeedReader,
      now: clock.now,
      holdDefaultMs,
      holdMaxMs: dayMs,
      depositDefaultMs: dayMs,
    };
    const service = createReservationService(parts);
    return {
      records,
      dependencies: reservationDependencies(parts),
      siteCache,
      termsBook,
      operatorNames,
      credentials,
      service,
      async reserve(siteId, more = {}) {
        const place = { case: "siteId", value: siteId } as const;
        const asked: MessageInitShape<typeof ReserveRequestSchema> = { requestId: randomUUID(), place, parcel };
        const request = create(ReserveRequestSchema, { ...asked, ...more } as typeof asked);
        return ((await service.reserve(request, context)) as ReserveResponse).reservation as Reservation;
      },
      async confirm(reservationId) {
        const request = create(ConfirmRequestSchema, { requestId: randomUUID(), reservationId });
        return ((await service.confirm(request, context)) as ConfirmResponse).reservation as Reservation;
      },
      async deposit(reservationId) {
        const atMs = clock.now();
        const before = (await records.reservations.find(reservationId)) as Reservation;
        const untilMs = atMs + collectWithinMs;
        const limits = { depositedAt: timestampFromMs(atMs), collectUntil: timestampFromMs(untilMs) };
        const actor = participantParty({ participantId: before.operatorId });
        const change = { state: ReservationState.DEPOSITED, ...limits };
        const transition = await receipts.attach(before, transitionTo(before, change, { actor }, atMs));
        await records.reservations.apply({ ...transition, movedAtMs: atMs, isAllowed: true });
        return transition.after;
      },
    };
  }

  const steady = over(connection);
  return {
    clock,
    connection,
    secrets,
    receipts,
    context,
    steady,
    over,
    async putSite(places, { ref = "site", latitude = 1.3 } = {}) {
      const site = makeSite({ latitude, longitude: 103.8, ref, classes: [["M", 400, 200, 500, 20_000, places]] });
      return (await steady.records.sites.put(site, 0)).siteId;
    },
  };
}

/** Opens a connection that many gateways of a test share. Closed with the test. */
export async function openForMany(redis: TestRedis): Promise<RedisConnection> {
  const connection = await redis.connect();
  connection.setMaxListeners(0);
  onTestFinished(() => connection.disconnect());
  return connection;
}
