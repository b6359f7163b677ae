import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { Act, Role } from "@petak/protocol";
import { createTempDir, type FrozenClock, makeSite, type useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { origin, parcel } from "../testing/world.ts";

/** A network for the tests of a file, and a site for each of them, whose agents keep their databases in a folder. */
export interface AgentSite {
  readonly network: TestNetwork;
  readonly operator: TestParticipant;
  readonly courier: TestParticipant;
  readonly siteId: string;
  /** The path of a database that does not exist yet. */
  newDisk(): string;
  /** A reservation of the courier at the site, and the token by which its parcel goes in. */
  toDeposit(): Promise<{ reservationId: string; token: string }>;
}

/** Starts the network before the tests of a file, and makes a site before each. */
export function useAgentSite(redis: ReturnType<typeof useRedis>, clock: FrozenClock): AgentSite {
  let network: TestNetwork;
  let operator: TestParticipant;
  let courier: TestParticipant;
  let disks: Awaited<ReturnType<typeof createTempDir>>;
  let siteId: string;

  beforeAll(async () => {
    network = await startTestNetwork({ redis, now: clock.now });
    operator = await network.join("Operator", [Role.OPERATOR]);
    courier = await network.join("Courier", [Role.COURIER]);
    disks = await createTempDir();
  });
  afterAll(async () => {
    await network.stop();
    await disks.remove();
  });
  beforeEach(async () => {
    siteId = await network.putSite(operator, makeSite(origin, { operatorSiteRef: randomUUID() }));
  });

  return {
    get network() {
      return network;
    },
    get operator() {
      return operator;
    },
    get courier() {
      return courier;
    },
    get siteId() {
      return siteId;
    },
    newDisk: () => join(disks.path, `${randomUUID()}.db`),
    async toDeposit() {
      const { reservations } = courier.client;
      const { reservation } = await reservations.reserve({ requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel });
      const reservationId = reservation?.reservationId ?? "";
      await reservations.confirm({ requestId: randomUUID(), reservationId });
      const { accessToken } = await reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.DEPOSIT });
      return { reservationId, token: accessToken };
    },
  };
}
