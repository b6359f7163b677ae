import { type ClientTls, createPetakClient, signerOfKeyFile } from "@petak/client/node";
import type { Site } from "@petak/protocol";
import { type Agent, type AgentOptions, createAgent } from "../agent.ts";
import type { AgentLogger } from "../logger.ts";
import { type AgentStore, openAgentStore } from "../store/agent-store.ts";
import type { Device } from "./data-directory.ts";
import { loggerTo, type Tell } from "./facts.ts";
import { firstSite, siteIn } from "./first-site.ts";
import { createLink, type Link } from "./link.ts";
import { readDisk } from "./read-disk.ts";

/** What opens a device of whatever kind. */
export interface DeviceOptions {
  device: Device;
  /** How it connects over TLS. Default: as the system does. */
  tls?: ClientTls | undefined;
  tell: Tell;
  /** Ends the attempts to reach a gateway that the device has never reached. */
  signal: AbortSignal;
  /** Name and version, shown to the operator. */
  software: string;
  /** Ends the program, by command, so that it is started again. It must return at once. Default: such commands are refused. */
  restart?: (() => void) | undefined;
}

/** A device with its gateway's address, before its agent runs. */
export interface ConnectedDevice {
  readonly link: Link;
  readonly logger: AgentLogger;
  /**
   * The site that the device has booted with, or boots with now.
   *
   * @throws ConnectError if the gateway refuses a device that has never booted
   */
  bootedSite(): Promise<{ readonly site: Site; readonly isKnown: boolean }>;
  openStore(): AgentStore;
  /** Starts an agent, which obeys commands. It decides when `starting` resolves, and at once if the site was known. */
  startAgent(over: Pick<AgentOptions, "store" | "cabinet" | "onAdopted">): { readonly agent: Agent; readonly starting: Promise<boolean> };
}

/** Connects a device. @param started ends what was begun here, the last first */
export function connectDevice(started: AsyncDisposableStack, options: DeviceOptions): ConnectedDevice {
  const { device, tls, tell, signal, software, restart } = options;
  const { siteId, storePath, key } = device;
  const gateway = started.adopt(createPetakClient({ baseUrl: device.url, tls, signer: signerOfKeyFile(key), retry: false }), (client) =>
    client.close(),
  );
  const link = createLink(gateway.agents, tell, device.url.startsWith("https:"));
  const logger = loggerTo(tell);
  return {
    link,
    logger,
    async bootedSite() {
      const known = await readDisk(() => siteIn(storePath), { client: link.client, siteId, logger, signal });
      const site = known ?? (await firstSite(() => link.client.boot({ siteId, software }, { signal }), signal));
      return { site, isKnown: known !== undefined };
    },
    openStore: () => started.adopt(openAgentStore(storePath), (opened) => opened.close()),
    startAgent(over) {
      const agent = createAgent({
        ...{ ...over, client: link.client, siteId, rootKey: device.rootKey, logger, software },
        reportKey: { keyId: key.key_id, privateJwk: key.private_jwk },
        watchesCommands: true,
        ...(restart && { restart }),
        onCommand: (fact) => tell({ event: "command", ...fact }),
      });
      started.defer(() => agent.stop());
      return { agent, starting: agent.start() };
    },
  };
}
