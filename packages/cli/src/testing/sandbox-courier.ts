import { randomUUID } from "node:crypto";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import { createOwnServiceClient, createPetakClient, type KeyFile, type PetakClient, signerOfKeyFile } from "@petak/client/node";
import { Act, EventTypeSchema, reasonOf } from "@petak/protocol";
import { SandboxRefusalSchema, SandboxService, type VisitSandboxSiteResponse } from "@petak/protocol/sandbox";
import { TestClockService } from "@petak/protocol/test-clock";
import { expect, vi } from "vitest";

/** A courier at the sandbox of a gateway whose test clock it moves. */
export interface SandboxCourier {
  readonly client: PetakClient;
  readonly sandbox: Client<typeof SandboxService>;
  /** The ids of the sites, by reference. */
  readonly sites: ReadonlyMap<string, string>;
  siteOf(ref: string): string;
  /** Reserves a place at a site and confirms it. @returns the reservation's id */
  reserve(ref: string): Promise<string>;
  issue(reservationId: string, act: Act, withPin?: boolean): ReturnType<PetakClient["reservations"]["issueCredential"]>;
  /**
   * Brings a parcel to a site; where this machine took longer than the minute that the offline site has for it, another. Throws if no door opens in time.
   *
   * @returns the reservation's id
   */
  deposit(ref: string): Promise<string>;
  /** Somebody comes with an access token. @returns `opened`, or why no door did */
  visit(ref: string, accessToken: string): Promise<string>;
  /** The courier's events of a reservation, without their prefix. */
  eventsOf(reservationId: string): Promise<string[]>;
  /** Moves the gateway's clock, and all that follow it. */
  pass(ms: number): Promise<void>;
  /** Lets the gateway's time pass until a reservation has its events, but not as long as it takes until parcels are forgotten. */
  untilEvents(reservationId: string, wanted: readonly string[]): Promise<void>;
  close(): void;
}

/** How long a deposit may take at the offline site, in ms. */
const depositMs = 60_000;

/** By how much time passes at once, in ms. */
export const stepMs = 5000;

const parcel = { widthMm: 300, heightMm: 150, depthMm: 400, massG: 1200 };

/** What came of a visit, in the guide's words. */
export function wordOf({ opened, refusal }: VisitSandboxSiteResponse): string {
  return opened ? "opened" : (SandboxRefusalSchema.value[refusal]?.name.replace("SANDBOX_REFUSAL_", "") ?? "");
}

/** Connects, once the sandbox is open. @param keys a courier's, and an administrator's for the clock */
export async function connectSandboxCourier(baseUrl: string, keys: { courier: KeyFile; admin: KeyFile }): Promise<SandboxCourier> {
  const signer = signerOfKeyFile(keys.courier);
  const client = createPetakClient({ baseUrl, signer });
  const own = createOwnServiceClient(SandboxService, { baseUrl, signer, timeoutMs: 60_000, retry: false });
  const sandbox = own.client;
  const clock = createOwnServiceClient(TestClockService, { baseUrl, signer: signerOfKeyFile(keys.admin) });
  // SANDBOX_NOT_READY until they are open.
  const listed = await vi.waitFor(() => sandbox.listSandboxSites({}), { timeout: 60_000, interval: 100 });
  const sites = new Map(listed.sites.map(({ operatorSiteRef, siteId }) => [operatorSiteRef, siteId]));
  const siteOf = (ref: string) => sites.get(ref) ?? "";

  async function eventsOf(reservationId: string): Promise<string[]> {
    const { events } = await client.custody.listEvents({ pageSize: 1000 });
    return events
      .filter((event) => event.reservationId === reservationId)
      .map(({ type }) => EventTypeSchema.value[type]?.name.replace("EVENT_TYPE_", "") ?? "");
  }

  async function pass(ms: number): Promise<void> {
    const { time } = await clock.client.getTestClock({});
    await clock.client.moveTestClock({ time: timestampFromMs((time === undefined ? 0 : timestampMs(time)) + ms) });
  }

  async function reserve(ref: string): Promise<string> {
    const place = { case: "siteId", value: siteOf(ref) } as const;
    const { reservation } = await client.reservations.reserve({ requestId: randomUUID(), place, parcel });
    const reservationId = reservation?.reservationId ?? "";
    await client.reservations.confirm({ requestId: randomUUID(), reservationId });
    return reservationId;
  }

  const issue: SandboxCourier["issue"] = (reservationId, act, withPin = false) =>
    client.reservations.issueCredential({ requestId: randomUUID(), reservationId, act, withPin });

  async function visit(ref: string, accessToken: string): Promise<string> {
    return wordOf(await sandbox.visitSandboxSite({ siteId: siteOf(ref), credential: { case: "accessToken", value: accessToken } }));
  }

  return {
    ...{ client, sandbox, sites, siteOf, reserve, issue, visit, eventsOf, pass },
    async deposit(ref) {
      for (;;) {
        const beganMs = performance.now();
        const reservationId = await reserve(ref);
        const came = issue(reservationId, Act.DEPOSIT).then(({ accessToken }) => visit(ref, accessToken));
        const outcome = await came.catch(reasonOf);
        if (outcome === "opened") return reservationId;
        if (performance.now() - beganMs < depositMs) throw new Error(`no door opened at ${ref}: ${outcome}`);
      }
    },
    async untilEvents(reservationId, wanted) {
      let passedMs = 0;
      const look = async () => {
        const events = await eventsOf(reservationId);
        if (events.length < wanted.length && passedMs < 300_000) {
          passedMs += stepMs;
          await pass(stepMs);
        }
        return events;
      };
      await expect.poll(look, { timeout: 60_000 }).toEqual(wanted);
    },
    close() {
      client.close();
      own.close();
      clock.close();
    },
  };
}
