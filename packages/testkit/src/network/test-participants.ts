import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  createPetakClient,
  createRequestSigner,
  generateKeyPair,
  type KeyFile,
  type PetakClient,
  type PetakClientOptions,
  type RequestSigner,
  type RequestSignerOptions,
} from "@petak/client/node";
import { type DeviceEventSchema, Mode, type Role, type Site } from "@petak/protocol";
import { testAudience } from "./gateway-defaults.ts";

/** A key with which requests are signed. */
export interface TestKey extends Pick<RequestSignerOptions, "participantId" | "keyId" | "audience"> {
  privateJwk: KeyFile["private_jwk"];
}

/** A participant that can make calls. */
export interface TestParticipant {
  participantId: string;
  key: TestKey;
  signer: RequestSigner;
  client: PetakClient;
}

/** What a test says of a device event; it is numbered, and dated by the network's clock where the test gives no time. */
export type ReportedEvent = Omit<MessageInitShape<typeof DeviceEventSchema>, "$typeName" | "$unknown" | "sequence" | "deviceEventId">;

/** A site's agent that reports what a test says, without a terminal. */
export interface SiteReporter {
  /** Reports events in one call. Gives the sequence up to which they are acknowledged. */
  report(...events: ReportedEvent[]): Promise<bigint>;
}

/** The participants of a gateway, wherever it runs. */
export interface TestParticipants {
  baseUrl: string;
  admin: TestParticipant;
  /** Makes a participant with a key of its own. */
  join(name: string, roles: Role[], mode?: Mode, options?: Partial<PetakClientOptions>): Promise<TestParticipant>;
  /** The same participant with a key of another mode. */
  withMode(participant: TestParticipant, mode: Mode): Promise<TestParticipant>;
  /** Registers a key of an agent of a site, as its operator. */
  agentKey(operator: TestParticipant, siteId: string): Promise<TestKey>;
  /** The same as {@link agentKey}, as what signs with it. */
  agentSigner(operator: TestParticipant, siteId: string): Promise<RequestSigner>;
  /** Another agent of a site, with a key of its own. */
  reporterAt(operator: TestParticipant, siteId: string): Promise<SiteReporter>;
  /** Makes sites, as their operator. Gives their ids, in order; the id of one that was refused is empty. */
  putSites(operator: Pick<TestParticipant, "client">, ...sites: Site[]): Promise<string[]>;
  /** Makes one site, as its operator. Gives its id. */
  putSite(operator: Pick<TestParticipant, "client">, site: Site): Promise<string>;
  /** Another client for a participant, e.g. over another protocol. */
  clientFor(signer: RequestSigner, options?: Partial<PetakClientOptions>): PetakClient;
  /** Ends the clients' connections. */
  closeClients(): void;
}

/** How long a call may take unless a test says something else, in ms: many times what it takes on a machine with nothing else to do. */
const patienceMs = 60_000;

/** Lets participants join a gateway, and sign their requests by its clock. */
export function createTestParticipants(baseUrl: string, adminKey: TestKey, now: () => number = Date.now): TestParticipants {
  const clients: PetakClient[] = [];
  const clientFor = (signer: RequestSigner, options: Partial<PetakClientOptions> = {}) => {
    const client = createPetakClient({ baseUrl, signer, timeoutMs: patienceMs, ...options });
    clients.push(client);
    return client;
  };

  function withKey(key: TestKey, options: Partial<PetakClientOptions> = {}): TestParticipant {
    const signer = createRequestSigner({ ...key, now });
    return { participantId: key.participantId, key, signer, client: clientFor(signer, options) };
  }

  async function newKey(registrar: PetakClient, participantId: string, mode: Mode, siteId?: string): Promise<TestKey> {
    const { publicKey, privateJwk } = await generateKeyPair();
    const requestId = randomUUID();
    const { key } = await registrar.participants.registerKey(
      siteId === undefined ? { requestId, participantId, publicKey, mode } : { requestId, publicKey, mode, siteId },
    );
    return { participantId, keyId: key?.keyId ?? "", privateJwk, audience: testAudience };
  }

  const admin = withKey(adminKey);
  const participants: TestParticipants = {
    baseUrl,
    admin,
    clientFor,
    async join(name, roles, mode = Mode.TEST, options = {}) {
      const { participant } = await admin.client.participants.createParticipant({ requestId: randomUUID(), displayName: name, roles });
      return withKey(await newKey(admin.client, participant?.participantId ?? "", mode), options);
    },
    withMode: async ({ participantId }, mode) => withKey(await newKey(admin.client, participantId, mode)),
    agentKey: ({ participantId, signer, client }, siteId) =>
      newKey(client, participantId, signer.mode === "live" ? Mode.LIVE : Mode.TEST, siteId),
    agentSigner: async (operator, siteId) => createRequestSigner({ ...(await participants.agentKey(operator, siteId)), now }),
    async reporterAt(operator, siteId) {
      const { agents } = clientFor(await participants.agentSigner(operator, siteId));
      let sequence = 0n;
      return {
        async report(...events) {
          const numbered = events.map((event) => {
            sequence += 1n;
            return { occurredAt: timestampFromMs(now()), ...event, sequence, deviceEventId: randomUUID() };
          });
          return (await agents.reportEvents({ siteId, events: numbered })).acknowledgedSequence;
        },
      };
    },
    async putSites({ client }, ...sites) {
      const { results } = await client.directory.upsertSites({ requestId: randomUUID(), sites });
      return results.map(({ siteId }) => siteId);
    },
    putSite: async (operator, site) => (await participants.putSites(operator, site))[0] ?? "",
    closeClients() {
      for (const client of clients) client.close();
    },
  };
  return participants;
}

/** A participant's key, as it is kept in a file. */
export function keyFileOf({ key, signer }: TestParticipant): KeyFile {
  const { participantId, keyId, privateJwk, audience } = key;
  return { participant_id: participantId, key_id: keyId, mode: signer.mode, audience, private_jwk: privateJwk };
}
