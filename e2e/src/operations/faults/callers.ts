import { setTimeout as pause } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { createPetakClient, type PetakClient, type RequestSigner } from "@petak/client/node";
import { reasonOf } from "@petak/protocol";
import type { Random } from "@petak/testkit";

/** The rejection of a call whose caller gave up: nobody knows whether it was executed. */
export class Abandoned extends Error {
  override readonly name = "Abandoned";
}

/** Callers that repeat a request at any of several gateways until there is a response. */
export interface Callers {
  /**
   * Repeats a request at random gateways until there is a response, which may be a refusal.
   *
   * @throws {Abandoned} after {@link abandon} was called.
   */
  answered<Answer>(signer: RequestSigner, send: (client: PetakClient) => Promise<Answer>): Promise<Answer>;
  /** A client of one gateway. */
  clientOf(port: number, signer: RequestSigner): PetakClient;
  /** Closes the connections to a gateway that has stopped. */
  forget(port: number): void;
  readonly isAbandoned: boolean;
  /** Makes waiting callers give up after their current attempt, until {@link resume}. */
  abandon(): void;
  resume(): void;
  /** How many calls got a response, and how many attempts got none. */
  readonly counts: { answers: number; unanswered: number };
  /** Resolves after this many more responses. */
  more(answers: number): Promise<void>;
  close(): void;
}

/** Pause before a request is repeated, in ms: shorter than a courier's, so that restarted gateways are called at once. */
const againAfterMs = 20;

/** How long a request may go without a response, in ms: several times as long as the longest fault. */
const answeredWithinMs = 90_000;

const pollMs = 5;

/** Makes callers of gateways whose ports may change. */
export function createCallers(ports: () => readonly number[], random: Random): Callers {
  const clients = new Map<string, PetakClient>();
  const counts = { answers: 0, unanswered: 0 };
  let isAbandoned = false;

  function clientOf(port: number, signer: RequestSigner): PetakClient {
    const name = `${port} ${signer.keyId}`;
    const client = clients.get(name) ?? createPetakClient({ baseUrl: `http://127.0.0.1:${port}`, signer, retry: false });
    clients.set(name, client);
    return client;
  }

  return {
    counts,
    clientOf,
    get isAbandoned() {
      return isAbandoned;
    },
    async answered(signer, send) {
      const beganMs = performance.now();
      for (;;) {
        if (isAbandoned) throw new Abandoned();
        try {
          const answer = await send(clientOf(random.pick(ports()), signer));
          counts.answers += 1;
          return answer;
        } catch (error) {
          if (!isForLater(error)) {
            counts.answers += 1;
            throw error;
          }
          counts.unanswered += 1;
          if (performance.now() - beganMs > answeredWithinMs)
            throw new Error(`no response within ${answeredWithinMs} ms`, { cause: error });
          await pause(againAfterMs);
        }
      }
    },
    forget(port) {
      for (const [name, client] of clients) {
        if (!name.startsWith(`${port} `)) continue;
        client.close();
        clients.delete(name);
      }
    },
    abandon() {
      isAbandoned = true;
    },
    resume() {
      isAbandoned = false;
    },
    async more(answers) {
      const wanted = counts.answers + answers;
      const deadlineMs = performance.now() + answeredWithinMs;
      while (counts.answers < wanted) {
        if (performance.now() > deadlineMs) throw new Error(`no ${answers} more responses within ${answeredWithinMs} ms`);
        await pause(pollMs);
      }
    },
    close() {
      for (const client of clients.values()) client.close();
      clients.clear();
    },
  };
}

/** Whether a request may be repeated: the gateway says so, or it has stopped. */
export function isForLater(error: unknown): boolean {
  const { code } = ConnectError.from(error);
  if (code === Code.Unavailable || code === Code.Aborted || code === Code.DeadlineExceeded) return true;
  const isGone = reasonOf(error) === undefined && (code === Code.Internal || code === Code.Unknown || code === Code.Canceled);
  return isGone;
}
