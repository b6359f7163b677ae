import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { CounterService } from "@petak/protocol/counter";
import { type CounterPort, SignedOutError, UnreachableError } from "./port.ts";

/** How long a call may take, in ms. The agent is in the same room; longer means that it cannot be reached. */
const callTimeoutMs = 8000;

/** The same for a photo, in ms. */
const photoTimeoutMs = 30_000;

/** Codes by which an agent says that it will never take what it was sent. Everything else is a line that is cut, an agent that is not ready, or somebody else. */
const final: readonly Code[] = [
  Code.InvalidArgument,
  Code.OutOfRange,
  Code.FailedPrecondition,
  Code.NotFound,
  Code.Internal,
  Code.DataLoss,
];

/** Says which failures are no answer. */
function sortFailure(error: unknown): Error {
  const failure = ConnectError.from(error);
  if (failure.code === Code.Unauthenticated) return new SignedOutError(failure.rawMessage, { cause: failure });
  return final.includes(failure.code) ? failure : new UnreachableError(failure.rawMessage, { cause: failure });
}

/** Makes a call. Connect wraps what interceptors throw, so failures are sorted out here. */
async function sorted<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw sortFailure(error);
  }
}

/**
 * The store's agent, which serves this page. The session is a cookie.
 *
 * @param tabletId a UUID, the same on this tablet for ever
 * @param decidesAlone whether this page can verify tokens
 */
export function createAgentPort(baseUrl: string, tabletId: string, decidesAlone: boolean): CounterPort {
  const transport = createConnectTransport({
    baseUrl,
    useBinaryFormat: true,
    fetch: (input, init) => fetch(input, { ...init, credentials: "same-origin", redirect: "error" }),
  });
  const client = createClient(CounterService, transport);
  const options = { timeoutMs: callTimeoutMs };
  return {
    isPractice: false,
    async getCounter() {
      const { counter } = await sorted(client.getCounter({ tabletId }, options));
      if (counter === undefined) throw new UnreachableError("The agent has no counter yet.");
      return counter;
    },
    signIn: (clerkId, pin) => sorted(client.signIn({ tabletId, clerkId, pin }, options)),
    async signOut() {
      await sorted(client.signOut({}, options));
    },
    async *watch(signal) {
      try {
        for await (const { counter } of client.watchCounter({ tabletId }, { signal })) if (counter !== undefined) yield counter;
      } catch (error) {
        throw sortFailure(error);
      }
    },
    async listParcels(knownVersion) {
      const { unchanged, parcelsVersion, parcels } = await sorted(client.listParcels({ knownVersion }, options));
      return unchanged ? undefined : { version: parcelsVersion, parcels };
    },
    async submit(entries) {
      return (await sorted(client.submit({ tabletId, entries: [...entries] }, options))).results;
    },
    ...(decidesAlone && {
      takeLease: (knownDigest: string) => sorted(client.takeLease({ tabletId, knownDigest }, options)),
      async returnLease(leaseNumber: bigint) {
        await sorted(client.returnLease({ tabletId, number: leaseNumber }, options));
      },
    }),
    async putPhoto(photoId, jpeg) {
      await sorted(client.putPhoto({ photoId, jpeg }, { timeoutMs: photoTimeoutMs }));
    },
    async getPhoto(photoId) {
      const { jpeg } = await sorted(client.getPhoto({ photoId }, options));
      return jpeg.length === 0 ? undefined : jpeg;
    },
  };
}
