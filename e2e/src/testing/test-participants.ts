import { randomUUID } from "node:crypto";
import {
  createPetakClient,
  createRequestSigner,
  generateKeyPair,
  type PetakClient,
  type PetakClientOptions,
  type RequestSigner,
} from "@petak/client";
import { Mode, type Role } from "@petak/protocol";

/** The `aud` of the test networks' gateways. */
export const testAudience = "petak-test";

/** A participant that can make calls. */
export interface TestParticipant {
  participantId: string;
  signer: RequestSigner;
  client: PetakClient;
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
  agentSigner(operator: TestParticipant, siteId: string): Promise<RequestSigner>;
  /** Another client for a participant, e.g. over another protocol. */
  clientFor(signer: RequestSigner, options?: Partial<PetakClientOptions>): PetakClient;
  /** Ends the clients' connections. */
  closeClients(): void;
}

/** Lets participants join a gateway, and sign their requests by its clock. */
export function createTestParticipants(baseUrl: string, adminSigner: RequestSigner, now: () => number = Date.now): TestParticipants {
  const clients: PetakClient[] = [];
  const clientFor = (signer: RequestSigner, options: Partial<PetakClientOptions> = {}) => {
    const client = createPetakClient({ baseUrl, signer, ...options });
    clients.push(client);
    return client;
  };
  const admin: TestParticipant = { participantId: adminSigner.participantId, signer: adminSigner, client: clientFor(adminSigner) };

  async function withKey(participantId: string, mode: Mode, options: Partial<PetakClientOptions>): Promise<TestParticipant> {
    const { publicKey, privateJwk } = await generateKeyPair();
    const { key } = await admin.client.participants.registerKey({ requestId: randomUUID(), participantId, publicKey, mode });
    const signer = createRequestSigner({ participantId, keyId: key?.keyId ?? "", privateJwk, audience: testAudience, now });
    return { participantId, signer, client: clientFor(signer, options) };
  }

  return {
    baseUrl,
    admin,
    clientFor,
    async join(name, roles, mode = Mode.TEST, options = {}) {
      const { participant } = await admin.client.participants.createParticipant({ requestId: randomUUID(), displayName: name, roles });
      return await withKey(participant?.participantId ?? "", mode, options);
    },
    withMode: ({ participantId }, mode) => withKey(participantId, mode, {}),
    async agentSigner({ participantId, signer, client }, siteId) {
      const { publicKey, privateJwk } = await generateKeyPair();
      const mode = signer.mode === "live" ? Mode.LIVE : Mode.TEST;
      const { key } = await client.participants.registerKey({ requestId: randomUUID(), publicKey, mode, siteId });
      return createRequestSigner({ participantId, keyId: key?.keyId ?? "", privateJwk, audience: testAudience, now });
    },
    closeClients() {
      for (const client of clients) client.close();
    },
  };
}
