import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { type CounterPlace, type OpenStoreDeviceOptions, openClerks, openStoreDevice } from "@petak/agent/counter";
import { enrolDevice, type RunningDevice, readDevice } from "@petak/agent/device";
import type { KeyFile, PetakClient } from "@petak/client/node";
import { type Site, SiteKind } from "@petak/protocol";

/** The demonstration's operator whose sites are all stores. */
export const storeOperator = "enggang";

/** A demonstration store whose counter is open. */
export interface DemoStore {
  readonly device: RunningDevice;
  /** Where its tablets connect. */
  readonly url: string;
  readonly name: string;
  /** The PIN of its owner, new at each start. */
  readonly pin: string;
}

export interface DemoStoreOptions {
  /** A client of the operator, with its key. */
  operator: PetakClient;
  operatorKey: KeyFile;
  gatewayUrl: string;
  /** How it is connected to. Undefined without TLS. */
  tls: OpenStoreDeviceOptions["tls"];
  /** Of the gateway; the store has a folder in it. */
  dataDir: string;
  serves: CounterPlace;
  tell: OpenStoreDeviceOptions["tell"];
  signal: AbortSignal;
  software: string;
}

/** Opens one store of the demonstration network, with a device of its own. Undefined: the network has none. */
export async function openDemoStore(options: DemoStoreOptions): Promise<DemoStore | undefined> {
  const { gatewayUrl, tls, tell, signal, software, serves } = options;
  const dataDir = join(options.dataDir, "store");
  const enrolled = (await readDevice(dataDir)) ?? (await enrol(options, dataDir));
  if (enrolled === undefined) return undefined;
  // The gateway of the same folder, at another port than before.
  const device = { ...enrolled, url: gatewayUrl };
  const clerks = openClerks(device.clerksPath);
  const [owner] = clerks.all();
  const { pin } = owner === undefined ? await clerks.add("Mai", true) : await clerks.renew(owner.clerkId);
  let url = "";
  const running = await openStoreDevice({
    ...{ device, tls, signal, software, serves },
    tell(fact) {
      if (fact.event === "counter") url = fact.url;
      tell(fact);
    },
  });
  return { device: running, url, name: running.site()?.name ?? "", pin };
}

async function enrol({ operator, operatorKey, gatewayUrl, tls }: DemoStoreOptions, dataDir: string) {
  const site = await chooseSite(operator, operatorKey.participant_id);
  if (site === undefined) return undefined;
  const { code } = await operator.participants.createEnrolmentCode({
    requestId: randomUUID(),
    siteId: site.siteId,
    label: "demonstration store",
  });
  return await enrolDevice({ dataDir, code, url: gatewayUrl, tls });
}

/** A store that is not in Singapore, where the examples look for sites and simulate their own devices. */
async function chooseSite({ directory }: PetakClient, operatorId: string): Promise<Site | undefined> {
  const { sites } = await directory.listSites({ operatorIds: [operatorId], pageSize: 500 });
  return sites
    .filter(({ kind, address }) => kind === SiteKind.COLLECTION_POINT && address?.countryCode !== "SG")
    .toSorted((one, other) => one.operatorSiteRef.localeCompare(other.operatorSiteRef))[0];
}
