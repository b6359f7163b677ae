import { randomUUID } from "node:crypto";
import { type DayOfWeek, Mode, Role, SiteKind } from "@petak/protocol";
import type { MoreFacts } from "@petak/testkit";
import { makeSite } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestNetworkOptions, type TestParticipant } from "@petak/testkit/network";
import { type ShopServer, startShopServer } from "./shop-server.ts";

/** A gateway with a few sites in Geylang, and a shop whose pages may read its directory. */
export interface Market extends AsyncDisposable {
  readonly network: TestNetwork;
  readonly merchant: TestParticipant;
  readonly operator: TestParticipant;
  readonly shop: ShopServer;
  /** Of the merchant, for the shop's origin. */
  readonly publishableKey: string;
  /** The sites' ids by name. */
  readonly sites: Readonly<Record<string, string>>;
  /** A picker for a parcel of a common size. @param more further attributes */
  picker(more?: string): string;
}

/** Where the shopper is. */
export const aljunied = "1.3164,103.8829";

const daily = (openMinute: number, closeMinute: number) => ({
  weekly: [1, 2, 3, 4, 5, 6, 7].map((day) => ({ openDay: day as DayOfWeek, openMinute, closeDay: day as DayOfWeek, closeMinute })),
});

/** The sites, from the nearest. */
const facts: readonly [name: string, latitude: number, longitude: number, kind: SiteKind, installed: number, more: MoreFacts][] = [
  [
    "MRT Aljunied, exit A",
    1.3178,
    103.8845,
    SiteKind.PARCEL_TERMINAL,
    4,
    {
      address: { countryCode: "SG", locality: "Singapore", lines: ["Lorong 25 Geylang"] },
      access: { stepFree: true, entranceHint: "Left of the ticket gates, under the stairs." },
    },
  ],
  [
    "Kedai Rahmat, Geylang East",
    1.3189,
    103.8802,
    SiteKind.COLLECTION_POINT,
    1,
    { address: { countryCode: "SG", locality: "Singapore", lines: ["12 Geylang East Avenue 3"] }, openingHours: daily(0, 1320) },
  ],
  [
    "Block 119 car park",
    1.3212,
    103.8838,
    SiteKind.PARCEL_TERMINAL,
    11,
    { address: { countryCode: "SG", locality: "Singapore", lines: ["Aljunied Avenue 2"] }, access: { stepFree: true } },
  ],
  [
    "Paya Lebar Quarter",
    1.3168,
    103.8921,
    SiteKind.PARCEL_TERMINAL,
    2,
    { address: { countryCode: "SG", locality: "Singapore", lines: ["10 Paya Lebar Road"] } },
  ],
];

/** The gateway's clock: a Saturday afternoon in Singapore, whatever the browser's shows. */
const nowMs = Date.UTC(2026, 7, 8, 6);

/** @param options of the network */
export async function startMarket(options: TestNetworkOptions = {}): Promise<Market> {
  const network = await startTestNetwork({ now: () => nowMs, ...options });
  const operator = await network.join("Kotak", [Role.OPERATOR]);
  const merchant = await network.join("Shop", [Role.MERCHANT]);
  const sites: Record<string, string> = {};
  for (const [index, [name, latitude, longitude, kind, installed, more]] of facts.entries()) {
    const site = makeSite(
      { ref: `site-${index}`, latitude, longitude, kind, classes: [["M", 400, 200, 500, 20_000, installed]] },
      { name, ...more },
    );
    sites[name] = await network.putSite(operator, site);
  }
  const shop = await startShopServer(network.baseUrl);
  const { publishableKey } = await merchant.client.participants.createPublishableKey({
    requestId: randomUUID(),
    origins: [shop.origin],
    mode: Mode.TEST,
    requestsPerSecond: 1000,
  });
  const key = publishableKey?.publishableKey ?? "";
  return {
    network,
    merchant,
    operator,
    shop,
    publishableKey: key,
    sites,
    picker: (more = "") =>
      `<petak-picker gateway="${network.baseUrl}" publishable-key="${key}" width-mm="300" height-mm="100" depth-mm="400" mass-g="1000" ${more}></petak-picker>
      <script type="module" src="/picker/petak-picker.js"></script>`,
    async [Symbol.asyncDispose]() {
      await shop[Symbol.asyncDispose]();
      await network.stop();
    },
  };
}
