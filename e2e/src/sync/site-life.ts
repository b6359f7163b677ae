import { randomUUID } from "node:crypto";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { generateKeyPair } from "@petak/client/node";
import {
  Act,
  CancellationReason,
  DeviceEventType,
  DoubtOutcome,
  HoldKind,
  LiveReservations,
  type Site,
  SiteLifecycle,
} from "@petak/protocol";
import type { FrozenClock, Random } from "@petak/testkit";
import type { SiteReporter, TestParticipant } from "@petak/testkit/network";
import { parcel } from "../testing/world.ts";

/** What happens at sites, by whom. */
export interface SiteLife {
  random: Random;
  clock: FrozenClock;
  /** The operator of the sites, and a courier, at any gateway of the store. */
  operator: () => TestParticipant["client"];
  courier: () => TestParticipant["client"];
  sites: readonly { siteId: string; site: Site; reporter: SiteReporter }[];
  /** The reservations that were made, and the sites where that was. */
  reservations: { reservationId: string; siteId: string }[];
  bundleIds: string[];
  /** Credentials that were issued. */
  issued: { accessToken: string; credentialHash: string; subject: Subject }[];
}

type Subject = { case: "reservationId" | "bundleId" | "siteId"; value: string };

/** A thing that may happen. It may be refused. */
type Happening = (life: SiteLife) => Promise<unknown>;

/** The places of each site. */
export const places = 5;
export const compartmentIds = Array.from({ length: places }, (_, index) => `A${index + 1}`);

const minuteMs = 60_000;
const { publicKey: holderPublicKey } = await generateKeyPair();
const requestId = randomUUID;

/** Mostly one of the last: older ones have often ended. */
function some<T>({ random }: SiteLife, all: readonly T[]): T {
  const one = random.bool(0.8) ? all.slice(-8) : all;
  if (one.length === 0) throw new NothingYetError();
  return random.pick(one);
}

/** There is nothing that it could happen to. */
export class NothingYetError extends Error {}

const siteOf = ({ random, sites }: SiteLife) => random.pick(sites);
const someReservation = (life: SiteLife) => some(life, life.reservations);
const someId = (life: SiteLife) => someReservation(life).reservationId;

async function reserve(life: SiteLife): Promise<void> {
  const { random } = life;
  const { siteId } = siteOf(life);
  const place = { case: "siteId", value: siteId } as const;
  const holdKind = random.bool(0.3) ? HoldKind.HARD : HoldKind.SOFT;
  const waits = random.bool() ? { overflowPolicy: { wait: { seconds: BigInt(random.int(10, 600) * 60) } } } : {};
  const { reservation } = await life.courier().reservations.reserve({ requestId: requestId(), place, parcel, holdKind, ...waits });
  const { reservationId = "" } = reservation ?? {};
  life.reservations.push({ reservationId, siteId });
  if (random.bool(0.6)) await confirm(life, reservationId);
}

const confirm = async (life: SiteLife, reservationId: string) =>
  await life.courier().reservations.confirm({ requestId: requestId(), reservationId });

async function issue(life: SiteLife): Promise<void> {
  const reservationId = someId(life);
  const act = life.random.pick([Act.DEPOSIT, Act.COLLECT, Act.COLLECT]);
  const withPin = act === Act.COLLECT && life.random.bool(0.8);
  const credential = await life.courier().reservations.issueCredential({ requestId: requestId(), reservationId, act, withPin });
  life.issued.push({ ...credential, subject: { case: "reservationId", value: reservationId } });
}

async function report(life: SiteLife): Promise<void> {
  const { random, clock } = life;
  const reservationId = someId(life);
  const { reservation } = await life.courier().reservations.getReservation({ reservationId });
  const site = life.sites.find(({ siteId }) => siteId === reservation?.siteId);
  const { PARCEL_DEPOSITED, PARCEL_COLLECTED, PARCEL_RECALLED, DOUBT } = DeviceEventType;
  const type = random.pick([PARCEL_DEPOSITED, PARCEL_DEPOSITED, PARCEL_COLLECTED, PARCEL_RECALLED, DOUBT]);
  const compartmentId = random.pick([...compartmentIds, ""]);
  await site?.reporter.report({ type, occurredAt: timestampFromMs(clock.now()), reservationId, compartmentId });
}

async function putBundle(life: SiteLife): Promise<void> {
  const { random } = life;
  const { siteId } = someReservation(life);
  const there = life.reservations.filter((one) => one.siteId === siteId).slice(-4);
  const reservationIds = random.shuffle(there.map(({ reservationId }) => reservationId)).slice(0, random.int(1, 3));
  const bundleId = random.bool(0.4) && life.bundleIds.length > 0 ? some(life, life.bundleIds) : "";
  const { bundle } = await life.courier().reservations.putBundle({ requestId: requestId(), bundleId, reservationIds });
  if (bundleId === "") life.bundleIds.push(bundle?.bundleId ?? "");
}

async function issueForBundle(life: SiteLife): Promise<void> {
  const bundleId = some(life, life.bundleIds);
  const withPin = life.random.bool(0.8);
  const credential = await life.courier().reservations.issueBundleCredential({ requestId: requestId(), bundleId, withPin });
  life.issued.push({ ...credential, subject: { case: "bundleId", value: bundleId } });
}

async function issueForService(life: SiteLife): Promise<void> {
  const { siteId } = siteOf(life);
  const credential = await life
    .operator()
    .reservations.issueCredential({ requestId: requestId(), act: Act.SERVICE, siteId, holderPublicKey });
  life.issued.push({ ...credential, subject: { case: "siteId", value: siteId } });
}

async function revoke(life: SiteLife): Promise<void> {
  const { credentialHash, subject } = some(life, life.issued);
  const client = subject.case === "siteId" ? life.operator() : life.courier();
  const pin = subject.case !== "siteId" && life.random.bool(0.3);
  await client.reservations.revokeCredential({ requestId: requestId(), subject, credentialHash, pin });
}

async function reportCapacity(life: SiteLife): Promise<void> {
  const { random, clock } = life;
  const occupied = random.int(0, places);
  const sizeClasses = [{ sizeClassId: "M", free: places - occupied, occupied, outOfService: 0 }];
  const observedAt = timestampFromMs(clock.now());
  const site = { siteId: siteOf(life).siteId, observedAt, ttl: { seconds: 300n }, sizeClasses };
  await life.operator().directory.reportCapacity({ requestId: requestId(), sites: [site] });
}

async function putSite(life: SiteLife): Promise<void> {
  const { site } = siteOf(life);
  const lifecycle = life.random.bool(0.8) ? SiteLifecycle.ACTIVE : SiteLifecycle.MAINTENANCE;
  const liveReservations = life.random.bool(0.2) ? LiveReservations.CANCEL : LiveReservations.DRAIN;
  await life.operator().directory.upsertSites({ requestId: requestId(), sites: [{ ...site, lifecycle }], liveReservations });
}

/** What may happen, each with how often. */
const happenings: readonly [times: number, name: string, happen: Happening][] = [
  [12, "reserve", reserve],
  [3, "confirm", (life) => confirm(life, someId(life))],
  [10, "issue", issue],
  [12, "report", report],
  [
    3,
    "cancel",
    (life) => life.courier().reservations.cancel({ requestId: requestId(), reservationId: someId(life), reason: CancellationReason.OTHER }),
  ],
  [
    4,
    "redirect",
    (life) => {
      const { reservationId, siteId } = someReservation(life);
      const place = { case: "siteId", value: life.sites.find((site) => site.siteId !== siteId)?.siteId ?? "" } as const;
      const reason = CancellationReason.REROUTED;
      return life.courier().reservations.redirect({ requestId: requestId(), reservationId, place, reason });
    },
  ],
  [
    5,
    "extend",
    (life) => {
      const until = timestampFromMs(life.clock.now() + life.random.int(10, 5 * 1440) * minuteMs);
      return life.courier().reservations.extend({ requestId: requestId(), reservationId: someId(life), until });
    },
  ],
  [
    3,
    "delegate",
    (life) => life.courier().reservations.delegateCredential({ requestId: requestId(), accessToken: some(life, life.issued).accessToken }),
  ],
  [6, "put a bundle", putBundle],
  [5, "issue for a bundle", issueForBundle],
  [1, "issue for service", issueForService],
  [4, "revoke", revoke],
  [
    2,
    "resolve a doubt",
    (life) => {
      const outcome = life.random.pick([DoubtOutcome.COLLECTED, DoubtOutcome.RECALLED, DoubtOutcome.NO_PARCEL]);
      return life.operator().reservations.resolveDoubt({ requestId: requestId(), reservationId: someId(life), outcome });
    },
  ],
  [2, "rotate PINs", (life) => life.operator().participants.rotatePins({ requestId: requestId(), siteId: siteOf(life).siteId })],
  [2, "report capacity", reportCapacity],
  [2, "put a site", putSite],
  [5, "let time pass", async (life) => life.clock.advance(life.random.pick([1, 1, 5, 5, 20, 20, 120, 1440]) * minuteMs)],
];

const draws = happenings.flatMap(([times, name, happen]) => Array.from({ length: times }, () => ({ name, happen })));

/** Draws what happens next. */
export function drawHappening({ random }: SiteLife): { name: string; happen: Happening } {
  return random.pick(draws);
}

export const happeningNames: readonly string[] = happenings.map(([, name]) => name);
