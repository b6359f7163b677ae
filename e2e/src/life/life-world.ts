import { randomUUID } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { indexCellOf, quantise, regionOfCell } from "@petak/allocator";
import type { PetakClient } from "@petak/client/node";
import {
  type GetReservationResponse,
  type LatLng,
  LimitKind,
  type Money,
  parseSiteId,
  ReservationState,
  type Site,
  TermsSchema,
} from "@petak/protocol";
import { type FrozenClock, makeSite, type Random } from "@petak/testkit";
import type { TestNetwork, TestParticipant } from "@petak/testkit/network";
import type { Actor, LifeModel } from "./model.ts";
import type { ModelCredential } from "./model-credentials.ts";
import { isInService, type ModelSiteChange } from "./model-sites.ts";
import type { GivenTerms } from "./model-terms.ts";

/** The participants of all lives. */
export interface People {
  clock: FrozenClock;
  network: TestNetwork;
  people: Record<Actor, TestParticipant>;
}

/** The gateway's side of one life: two sites, their agents, and the ids of what was made, by number in the model. */
export interface World extends People {
  siteIds: string[];
  /** The sites as they were first. They are nearer to each other than to any site of another life. */
  sites: Site[];
  agents: PetakClient[];
  sequences: bigint[];
  ids: string[];
  bundleIds: string[];
  /** The credentials as they were issued. */
  tokens: Map<ModelCredential, { accessToken: string; credentialHash: string }>;
}

/** The distance between the sites of a life, and between lives, in degrees. */
const siteDeg = 0.01;
const lifeDeg = 0.05;

/** Makes the sites of a life, at a position derived from its number. */
export async function newWorld(around: People, life: number, installed: readonly number[], terms: readonly GivenTerms[]): Promise<World> {
  const { network, people } = around;
  const origin = { latitude: 1.3 + (life % 40) * lifeDeg, longitude: 103.8 + Math.floor(life / 40) * lifeDeg };
  const positions = installed.map((_, index) => ({ ...origin, latitude: origin.latitude + index * siteDeg }));
  const sites = installed.map((places, index) => ({
    ...makeSite({ ...(positions[index] ?? origin), ref: randomUUID(), classes: [["M", 400, 200, 500, 20_000, places]] }),
    terms: create(TermsSchema, termsMessage(terms[index] ?? {})),
  }));
  const siteIds = await network.putSites(people.operator, ...sites);
  const agents = await Promise.all(siteIds.map(async (siteId) => network.clientFor(await network.agentSigner(people.operator, siteId))));
  return { ...around, siteIds, sites, agents, sequences: siteIds.map(() => 0n), ids: [], bundleIds: [], tokens: new Map() };
}

/** How far to the south a site can move without being another site, in degrees: not at all, a little, and further than without a decision. */
export function placesToMoveTo(site: Site, siteId: string): number[] {
  const regionAt = (southDeg: number) => regionOfCell(indexCellOf(quantise(positionAt(site, southDeg))));
  return [0, 0.0005, 0.002].filter((southDeg) => regionAt(southDeg) === parseSiteId(siteId)?.region);
}

/** The position of a site, to the south of where it was first. */
export function positionAt({ position }: Site, southDeg: number): LatLng {
  if (position === undefined) throw new TypeError("a site without a position");
  return { ...position, latitude: position.latitude - southDeg };
}

/** Random terms. Fields that are left out use the defaults. */
export function randomTerms(random: Random): GivenTerms {
  const minuteMs = 60_000;
  const said = <Value>(value: Value) => (random.bool(0.6) ? value : undefined);
  const given = {
    freeStorageMs: said(random.pick([60, 90, 3 * 1440]) * minuteMs),
    pricePerDay: said(random.pick([0, 150, 199])),
    freeChangeMs: said(random.int(0, 40) * minuteMs),
    lateFee: said(random.pick([0, 275, 310])),
    noShowAfterMs: said(random.pick([20, 60, 1440]) * minuteMs),
    noShowFee: said(random.pick([0, 501])),
  };
  // The gateway refuses terms that contradict themselves.
  const longestStorageMs = said(random.pick([3 * 1440, 5 * 1440]) * minuteMs);
  return Object.fromEntries(Object.entries({ ...given, longestStorageMs }).filter(([, value]) => value !== undefined));
}

/** The protocol's message of terms. */
export function termsMessage(terms: GivenTerms): MessageInitShape<typeof TermsSchema> {
  const { freeStorageMs, longestStorageMs, pricePerDay, freeChangeMs, lateFee, noShowAfterMs, noShowFee } = terms;
  return {
    ...(freeStorageMs !== undefined && { freeStorage: durationFromMs(freeStorageMs) }),
    ...(longestStorageMs !== undefined && { longestStorage: durationFromMs(longestStorageMs) }),
    ...(pricePerDay !== undefined && { extensionPricePerDay: dollars(pricePerDay) }),
    ...(freeChangeMs !== undefined && { freeChangeBeforeDeposit: durationFromMs(freeChangeMs) }),
    ...(lateFee !== undefined && { lateChangeFee: dollars(lateFee) }),
    ...(noShowAfterMs !== undefined && { noShowAfter: durationFromMs(noShowAfterMs) }),
    ...(noShowFee !== undefined && { noShowFee: dollars(noShowFee) }),
  };
}

function dollars(cents: number) {
  return { currencyCode: "SGD", units: BigInt(Math.floor(cents / 100)), nanos: (cents % 100) * 10_000_000 };
}

function centsOf(money: Money | undefined): number {
  return money === undefined ? 0 : Number(money.units) * 100 + money.nanos / 10_000_000;
}

/** The name of an enum value in the protocol. */
export function nameOf(values: Readonly<Record<string, number>>, wanted: number): string {
  return Object.keys(values).find((name) => values[name] === wanted) ?? String(wanted);
}

/** The gateway's reservations, bundles and counts of both sites, in terms of the model. */
export async function gatewayState({ people, ids, bundleIds, siteIds }: World) {
  const { reservations, directory } = people.courier.client;
  const calls = ids.map((reservationId) => ({ call: { case: "getReservation", value: { reservationId } } }) as const);
  const [{ results }, bundles, { availabilities }] = await Promise.all([
    ids.length === 0 ? { results: [] } : reservations.batch({ calls }),
    Promise.all(bundleIds.map((bundleId) => reservations.getBundle({ bundleId }))),
    directory.getAvailability({ siteIds }),
  ]);
  return {
    reservations: results.map(({ result }) => {
      const { reservation } = result.value as GetReservationResponse;
      return {
        state: nameOf(ReservationState, reservation?.state ?? 0),
        site: siteIds.indexOf(reservation?.siteId ?? ""),
        position: reservation?.queuePosition,
        queuedUntilMs: reservation?.queuedUntil && timestampMs(reservation.queuedUntil),
        holdUntilMs: reservation?.holdExpiresAt && timestampMs(reservation.holdExpiresAt),
        depositUntilMs: reservation?.depositUntil && timestampMs(reservation.depositUntil),
        collectUntilMs: reservation?.collectUntil && timestampMs(reservation.collectUntil),
        depositedMs: reservation?.depositedAt && timestampMs(reservation.depositedAt),
        isOverdue: reservation?.overdueSince !== undefined,
        freeChangeUntilMs: reservation?.freeChangeUntil && timestampMs(reservation.freeChangeUntil),
        feeDue: centsOf(reservation?.feeDue),
        bundle: bundleIds.indexOf(reservation?.bundleId ?? ""),
        delegated: reservation?.delegations.map(({ revokedAt }) => revokedAt !== undefined),
        revoked: reservation?.revokedCredentials.length,
        receipts: reservation?.chain?.length ?? 0,
        siteChange: reservation?.siteChange && toldOf(reservation.siteChange),
      };
    }),
    bundles: bundles.map(({ bundle }) => ({
      members: bundle?.reservationIds.map((id) => ids.indexOf(id)),
      delegated: bundle?.delegations.map(({ revokedAt }) => revokedAt !== undefined),
      revoked: bundle?.revokedCredentials.length,
    })),
    places: availabilities.map(({ acceptingDeposits, sizeClasses: [places] }) => ({
      acceptingDeposits,
      places: [places?.held, places?.occupied, places?.freeToPromise],
    })),
  };
}

function toldOf({ kinds, movedM, canBeKept, cancelled, number }: ModelSiteChange): ModelSiteChange {
  return { kinds, movedM, canBeKept, cancelled, number };
}

/** The same state of the model. */
export function modelState(model: LifeModel, siteCount: number): Awaited<ReturnType<typeof gatewayState>> {
  return {
    reservations: model.reservations.map((reservation) => {
      const { queuedUntilMs, holdUntilMs, depositUntilMs, collectUntilMs, depositedMs, freeChangeUntilMs } = reservation;
      return {
        state: nameOf(ReservationState, reservation.state),
        site: reservation.site,
        position: model.position(reservation),
        isOverdue: reservation.isOverdue,
        ...{ queuedUntilMs, holdUntilMs, depositUntilMs, collectUntilMs, depositedMs, freeChangeUntilMs },
        feeDue: reservation.feeDue,
        bundle: reservation.bundle?.id ?? -1,
        delegated: reservation.delegated.map((credential) => reservation.ended.has(credential)),
        revoked: reservation.revoked.length,
        receipts: reservation.receipts.length,
        siteChange: reservation.siteChange,
      };
    }),
    bundles: model.bundles.map(({ members, delegated, ended, revoked }) => ({
      members: members.map(({ id }) => id),
      delegated: delegated.map((credential) => ended.has(credential)),
      revoked: revoked.length,
    })),
    places: Array.from({ length: siteCount }, (_, site) => ({
      acceptingDeposits: isInService(model.site(site)),
      places: [model.held[site], model.occupied[site], model.free(site)],
    })),
  };
}

/** The unconfirmed holds of the courier at each site, as the gateway counts them for its limits. */
export async function countedHolds({ people, siteIds }: World): Promise<number[]> {
  const { participants } = people.courier.client;
  const answers = await Promise.all(siteIds.map((siteId) => participants.getLimits({ siteId })));
  return answers.map(({ limits }) => Number(limits.find(({ kind }) => kind === LimitKind.HOLDS_AT_SITE)?.used));
}

/** The same of the model. */
export function modelHolds(model: LifeModel, siteCount: number): number[] {
  const held = model.reservations.filter(({ state }) => state === ReservationState.HELD);
  return Array.from({ length: siteCount }, (_, index) => held.filter(({ site }) => site === index).length);
}
