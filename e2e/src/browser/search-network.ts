import { randomUUID } from "node:crypto";
import { Mode, Role } from "@petak/protocol";
import { makeSite, type TestRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork } from "@petak/testkit/network";

/** A network with two sites and a merchant whose pages search it. */
export interface SearchNetwork {
  network: TestNetwork;
  /** The sites, nearest to 1.3° N 103.8° E first. */
  siteIds: string[];
  /** Makes a publishable key for pages of an origin. */
  publishableKeyFor(origin: string): Promise<string>;
  /** The merchant, for which a page registers a key. */
  participantId: string;
  /** Registers a public key of the merchant, with the key's proof of possession for this request. */
  registerKey(key: { requestId: string; publicKey: Uint8Array; possessionProof: string }): Promise<{ keyId: string }>;
}

/** Starts a gateway with the network, stopped with the test. */
export async function startSearchNetwork(redis: TestRedis): Promise<SearchNetwork> {
  const network = await startTestNetwork({ redis });
  const operator = await network.join("Operator", [Role.OPERATOR]);
  const { participantId, client } = await network.join("Merchant", [Role.MERCHANT]);
  const sites = [1.301, 1.302].map((latitude) => makeSite({ latitude, longitude: 103.8, ref: `site-${latitude}` }));
  const { results } = await operator.client.directory.upsertSites({ requestId: randomUUID(), sites });
  const { participants } = network.admin.client;
  return {
    network,
    siteIds: results.map(({ siteId }) => siteId),
    async publishableKeyFor(origin) {
      const { publishableKey } = await client.participants.createPublishableKey({
        requestId: randomUUID(),
        mode: Mode.TEST,
        origins: [origin],
      });
      return publishableKey?.publishableKey ?? "";
    },
    participantId,
    async registerKey(registration) {
      const { key } = await participants.registerKey({ ...registration, participantId, mode: Mode.TEST });
      return { keyId: key?.keyId ?? "" };
    },
  };
}
