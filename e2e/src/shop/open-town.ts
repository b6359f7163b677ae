import { randomUUID } from "node:crypto";
import type { SimulatedTerminal } from "@petak/agent/simulation";
import { openStage, type Shop, type ShopOptions, startShop } from "@petak/examples/shop";
import { Act, type DayOfWeek, Mode, type Reservation, Role } from "@petak/protocol";
import { createFrozenClock, type FrozenClock, type MoreFacts, makeSite } from "@petak/testkit";
import { keyFileOf, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";

/** A gateway with a few places, and a shop that sends parcels there. */
export interface Town {
  readonly clock: FrozenClock;
  readonly network: TestNetwork;
  readonly merchant: TestParticipant;
  readonly operator: TestParticipant;
  readonly shop: Shop;
  /** The ids of the places, by name. */
  readonly sites: Readonly<Record<string, string>>;
  /** At the corner. */
  readonly terminal: SimulatedTerminal;
  /** What the shop complained of. */
  readonly complaints: string[];
  /** Opens another shop at the same gateway. */
  openShop(more?: Partial<ShopOptions>): Promise<Shop>;
  /** The reservation that was made for an order. */
  reservationOf(orderUrl: string): Promise<Reservation>;
  /** A courier brings the parcel of an order to the terminal. */
  deposit(orderUrl: string): Promise<void>;
  close(): Promise<void>;
}

export const corner = "Corner of Orchard Road";
export const kiosk = "Kiosk with one place";
export const square = "Dataran Merdeka";
const compartments = [1, 2, 3, 4, 5, 6, 7, 8].map((number) => ({ compartmentId: `A${number}`, sizeClassId: "M" }));
const hours = (openDay: DayOfWeek, closeMinute: number) => ({ openDay, openMinute: 540, closeDay: openDay, closeMinute });
const weekly = [1, 2, 3, 4, 5].map((day) => hours(day as DayOfWeek, 1080)).concat(hours(6, 780));

const malaysian = { countryCode: "MY", locality: "Kuala Lumpur", lines: ["Jalan Raja"] };

/** From the nearest to the middle of Singapore; the last is in Kuala Lumpur. */
const places: readonly [name: string, latitude: number, longitude: number, installed: number, more: MoreFacts][] = [
  [corner, 1.3531, 103.8198, 8, { compartments, access: { entranceHint: "Beside the lifts <of the north wing>." } }],
  [kiosk, 1.3581, 103.8198, 1, { openingHours: { weekly } }],
  [square, 3.14, 101.6869, 8, { timeZone: "Asia/Kuala_Lumpur", address: malaysian }],
];

export async function openTown(): Promise<Town> {
  const clock = createFrozenClock();
  const network = await startTestNetwork({ now: clock.now });
  const operator = await network.join("Kotak", [Role.OPERATOR]);
  const merchant = await network.join("Shop", [Role.MERCHANT]);
  const { client } = merchant;
  const sites: Record<string, string> = {};
  for (const [name, latitude, longitude, installed, more] of places) {
    const site = makeSite({ ref: name, latitude, longitude, classes: [["M", 450, 400, 500, 20_000, installed]] }, { name, ...more });
    sites[name] = await network.putSite(operator, site);
  }
  const { publishableKey } = await client.participants.createPublishableKey({
    requestId: randomUUID(),
    origins: ["*"],
    mode: Mode.TEST,
    requestsPerSecond: 1000,
  });
  const complaints: string[] = [];
  const onError = ({ message }: Error) => void complaints.push(message);
  // For what it adds to the pages. The tests have a terminal of their own, by their clock.
  const operatorKeys = new Map([[operator.participantId, keyFileOf(operator)]]);
  const stage = openStage({ gatewayUrl: network.baseUrl, client, operatorKeys, onError });
  const openShop = (more: Partial<ShopOptions> = {}) =>
    startShop({
      ...{ client, gatewayUrl: network.baseUrl, publishableKey: publishableKey?.publishableKey ?? "", port: 0, now: clock.now },
      ...{ onError, stage },
      ...more,
    });
  const shop = await openShop();
  const terminal = await network.openTerminal(operator, sites[corner] ?? "", { cabinet: compartments });

  async function reservationOf(orderUrl: string): Promise<Reservation> {
    const partnerReference = `order-${/orders\/(.{8})/.exec(orderUrl)?.[1]}`;
    const { reservations } = await client.reservations.listReservations({ partnerReference });
    const current = reservations.at(-1);
    if (current === undefined) throw new Error(`nothing was reserved for ${orderUrl}`);
    return current;
  }

  return {
    ...{ clock, network, merchant, operator, shop, sites, terminal, complaints, openShop, reservationOf },
    async deposit(orderUrl) {
      const { reservationId } = await reservationOf(orderUrl);
      const request = { requestId: randomUUID(), reservationId, act: Act.DEPOSIT };
      const { accessToken } = await client.reservations.issueCredential(request);
      const { opened } = await terminal.visit({ token: accessToken });
      if (!opened) throw new Error(`the terminal did not open for ${reservationId}`);
    },
    async close() {
      await shop.stop();
      await network.stop();
    },
  };
}
