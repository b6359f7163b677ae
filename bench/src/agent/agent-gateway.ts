import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { createTrustBundle, generateIssuerKey, hashPin, mintAccessToken, newPinKey, newTokenId } from "@petak/credential";
import {
  Act,
  AgentService,
  type Allowance,
  AllowanceSchema,
  formatSiteId,
  newReservationId,
  ReservationState,
  SiteLifecycle,
} from "@petak/protocol";

/** A visit to a terminal: a token to deposit, and the PIN to collect. */
export interface PreparedVisit {
  readonly token: string;
  readonly pin: string;
}

/** What a gateway says to the agent of one site, from memory, so that only the agent is measured. */
export interface AgentGateway extends AsyncDisposable {
  readonly url: string;
  readonly siteId: string;
  /** Credentials of reservations from all over the list, each good for one visit. */
  readonly visits: readonly PreparedVisit[];
}

const region = "83652b";
const hourMs = 3_600_000;

/** Starts the gateway of a terminal of so many doors, with an allowance and a PIN for each of so many reservations. */
export async function startAgentGateway(options: { doors: number; reservations: number; visits: number }): Promise<AgentGateway> {
  const siteId = formatSiteId(region, "k3v9c0x2md", 8);
  const [issuerKey, pinKey, nowMs] = [await generateIssuerKey(), newPinKey(), Date.now()];
  const valid = { notBeforeMs: nowMs - 60_000, expiresAtMs: nowMs + 24 * hourMs };
  const times = { notBefore: timestampFromMs(valid.notBeforeMs), expiresAt: timestampFromMs(valid.expiresAtMs) };
  const trustBundle = createTrustBundle({ version: 1n, keys: [issuerKey], issuedAtMs: nowMs, notAfterMs: nowMs + 7 * 24 * hourMs });
  const allowances: Allowance[] = [];
  const visits: PreparedVisit[] = [];
  const everyNth = Math.floor(options.reservations / options.visits);
  for (let index = 0; index < options.reservations; index += 1) {
    const reservationId = newReservationId(region);
    const pin = String(10_000_000 + index * 7919).slice(0, 8);
    const kind = { reservationId, act: Act.COLLECT, sizeClassId: "M", state: ReservationState.CONFIRMED };
    allowances.push(create(AllowanceSchema, { ...kind, pinHash: await hashPin(pinKey, pin), ...times }));
    if (index % everyNth !== 0) continue;
    const input = { issuerKey, act: Act.DEPOSIT, siteId, reservationId, tokenId: newTokenId(), sizeClassIndex: 0 };
    visits.push({ token: await mintAccessToken({ ...input, ...valid }), pin });
  }
  const site = {
    siteId,
    lifecycle: SiteLifecycle.ACTIVE,
    revision: 1,
    sizeClasses: [{ sizeClassId: "M", installed: options.doors }],
  };
  let acknowledgedSequence = 0n;
  const handle = connectNodeAdapter({
    routes: (router) =>
      router.service(AgentService, {
        boot: () => ({
          ...{ serverTime: timestampFromMs(Date.now()), site, acknowledgedSequence, pinKey, trustBundle },
          syncInterval: durationFromMs(30_000),
        }),
        sync: ({ knownVersion }) => {
          const answer = { version: 1n, serverTime: timestampFromMs(Date.now()), siteRevision: 1 };
          return knownVersion === 1n ? { ...answer, unchanged: true } : { ...answer, allowances, trustBundle };
        },
        reportEvents: ({ events }) => {
          acknowledgedSequence = events.at(-1)?.sequence ?? acknowledgedSequence;
          return { acknowledgedSequence };
        },
      }),
  });
  const server = createServer(handle);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    siteId,
    visits,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
