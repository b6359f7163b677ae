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
  signKeyPossession,
} from "@petak/client/node";
import { type DeviceEventSchema, Mode, type Role, type Site } from "@petak/protocol";
import { testAudience } from "./gateway-defaults.ts";
import type { UnseenIssuer } from "./issue-unseen.ts";

/** A signing key. */
export interface TestKey extends Pick<RequestSignerOptions, "participantId" | "keyId" | "audience"> {
  privateJwk: KeyFile["private_jwk"];
}

/** A participant with a client. */
export interface TestParticipant {
  participantId: string;
  key: TestKey;
  signer: RequestSigner;
  client: PetakClient;
}

/**
 * A device event of a test. It gets a number, by default the network's time, and unless it names a credential one that counts as issued, if it needs one to be
 * believed.
 */
export type ReportedEvent = Omit<MessageInitShape<typeof DeviceEventSchema>, "$typeName" | "$unknown" | "sequence" | "deviceEventId">;

/** An agent without a terminal, which reports a test's events. */
export interface SiteReporter {
  /** Reports events in one call. Returns the acknowledged sequence. */
  report(...events: ReportedEvent[]): Promise<bigint>;
}

/** The participants of a gateway. */
export interface TestParticipants {
  baseUrl: string;
  /** The gateway's clock, by which they sign. */
  now: () => number;
  admin: TestParticipant;
  /** Makes a participant with a new key. */
  join(name: string, roles: Role[], mode?: Mode, options?: Partial<PetakClientOptions>): Promise<TestParticipant>;
  /** Makes a key of another mode for a participant. */
  withMode(participant: TestParticipant, mode: Mode): Promise<TestParticipant>;
  /** Registers an agent's key for a site, as its operator. */
  agentKey(operator: TestParticipant, siteId: string): Promise<TestKey>;
  /** Like {@link agentKey}, but returns a signer. */
  agentSigner(operator: TestParticipant, siteId: string): Promise<RequestSigner>;
  /** Makes another agent of a site, with a new key. */
  reporterAt(operator: TestParticipant, siteId: string): Promise<SiteReporter>;
  /** A credential for a report made by hand, see {@link UnseenIssuer}. */
  shownFor: UnseenIssuer["shownFor"];
  /** Makes sites, as their operator. Returns their ids, in order; empty for refused ones. */
  putSites(operator: Pick<TestParticipant, "client">, ...sites: Site[]): Promise<string[]>;
  /** Makes a site, as its operator. Returns its id. */
  putSite(operator: Pick<TestParticipant, "client">, site: Site): Promise<string>;
  /** Makes another client, e.g. with another protocol. */
  clientFor(signer: RequestSigner, options?: Partial<PetakClientOptions>): PetakClient;
  /** Closes the clients' connections. */
  closeClients(): void;
}

/** Default timeout of calls, in ms: many times what they take on an idle machine. */
const callTimeoutMs = 60_000;

/** Makes participants of a gateway, which sign requests by its clock. */
export function createTestParticipants(
  baseUrl: string,
  adminKey: TestKey,
  unseen: UnseenIssuer,
  now: () => number = Date.now,
): TestParticipants {
  const clients: PetakClient[] = [];
  const clientFor = (signer: RequestSigner, options: Partial<PetakClientOptions> = {}) => {
    const client = createPetakClient({ baseUrl, signer, timeoutMs: callTimeoutMs, ...options });
    clients.push(client);
    return client;
  };

  function withKey(key: TestKey, options: Partial<PetakClientOptions> = {}): TestParticipant {
    const signer = remembered(createRequestSigner({ ...key, now }));
    return { participantId: key.participantId, key, signer, client: clientFor(signer, options) };
  }

  async function newKey(registrar: PetakClient, participantId: string, mode: Mode, siteId?: string): Promise<TestKey> {
    const { privateJwk, request } = await newRegistration(participantId, { mode, ...(siteId !== undefined && { siteId }) });
    const { key } = await registrar.participants.registerKey(request);
    return { participantId, keyId: key?.keyId ?? "", privateJwk, audience: testAudience };
  }

  const admin = withKey(adminKey);
  const participants: TestParticipants = {
    baseUrl,
    now,
    admin,
    clientFor,
    async join(name, roles, mode = Mode.TEST, options = {}) {
      const { participant } = await admin.client.participants.createParticipant({ requestId: randomUUID(), displayName: name, roles });
      return withKey(await newKey(admin.client, participant?.participantId ?? "", mode), options);
    },
    withMode: async ({ participantId }, mode) => withKey(await newKey(admin.client, participantId, mode)),
    agentKey: ({ participantId, signer, client }, siteId) =>
      newKey(client, participantId, signer.mode === "live" ? Mode.LIVE : Mode.TEST, siteId),
    agentSigner: async (operator, siteId) => remembered(createRequestSigner({ ...(await participants.agentKey(operator, siteId)), now })),
    shownFor: unseen.shownFor,
    async reporterAt(operator, siteId) {
      const { agents } = clientFor(await participants.agentSigner(operator, siteId));
      let sequence = 0n;
      return {
        async report(...events) {
          const shown = await Promise.all(
            events.map(async ({ type = 0, reservationId = "", act, proofKind, credentialHash }) => {
              if (credentialHash !== undefined) return undefined;
              return await unseen.shownFor({ siteId, type, reservationId, ...(act && { act }), ...(proofKind && { proofKind }) });
            }),
          );
          const numbered = events.map((event, index) => {
            sequence += 1n;
            return { occurredAt: timestampFromMs(now()), ...event, ...shown[index], sequence, deviceEventId: randomUUID() };
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

/** The signers of test networks by the Authorization headers that they gave. */
const signers = new Map<string, RequestSigner>();

function remembered(signer: RequestSigner): RequestSigner {
  const remembering: RequestSigner = {
    ...signer,
    async authorization() {
      const header = await signer.authorization();
      signers.set(header, remembering);
      return header;
    },
  };
  return remembering;
}

/** The signer of a test network that gave an Authorization header, for tests that sign proofs of calls made by hand. */
export function signerOf(authorization: string): RequestSigner | undefined {
  return signers.get(authorization);
}

/** A request that registers a new test key of a participant, with the key's proof of possession. */
export async function newRegistration(
  participantId: string,
  {
    mode = Mode.TEST,
    siteId = "",
    audience = testAudience,
    requestId = randomUUID(),
  }: { mode?: Mode; siteId?: string; audience?: string; requestId?: string } = {},
) {
  const { publicKey, privateJwk } = await generateKeyPair();
  const registration = { participantId, mode: mode === Mode.LIVE ? "live" : "test", siteId, requestId } as const;
  const possessionProof = await signKeyPossession(privateJwk, audience, registration);
  return { privateJwk, publicKey, request: { requestId, participantId, publicKey, mode, siteId, possessionProof } };
}

/** The key file of a participant. */
export function keyFileOf({ key, signer }: TestParticipant): KeyFile {
  const { participantId, keyId, privateJwk, audience } = key;
  return { participant_id: participantId, key_id: keyId, mode: signer.mode, audience, private_jwk: privateJwk };
}
