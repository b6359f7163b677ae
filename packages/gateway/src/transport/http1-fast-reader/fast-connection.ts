import type { Socket } from "node:net";
import type { WholeAnswer } from "../http/send-answer.ts";
import { type Peer, peerOf } from "../limits/peer.ts";
import type { AnswerWriter, BufferedCalls, CallPlan, EncodedAnswer, FastCall } from "../unary-fast-path/unary-fast-path.ts";
import { type PlainHead, parsePlainHead, plainHeadMaxBytes } from "./plain-head.ts";
import { responseHead } from "./response-head.ts";
import { sendAtOnce } from "./send-at-once.ts";

/** A connection that leaves the fast reader for Node's server. */
export interface LeavingConnection {
  socket: Socket;
  /** The bytes received and not consumed. Node's server reads them again. */
  unread: Buffer;
  /** Whether no request has been read from it yet. */
  isFresh: boolean;
  /** The value of `performance.now()` when the head of the unread request arrived. Undefined: just now. */
  startedMs: number | undefined;
}

/** What all connections of the fast reader depend on. */
export interface FastConnectionDependencies {
  calls: BufferedCalls;
  /** The headers of answers after which the connection stays open. */
  keepAliveLines: string;
  /** Whether the server is closing. */
  isClosing(): boolean;
  /** Takes a connection with a request that the fast reader does not support. It does not come back. */
  handOver(leaving: LeavingConnection): void;
  /** Answers and closes a connection whose client ended its side within a request. */
  onCutOff(socket: Socket, unread: Buffer): void;
  /** Called once, when the connection is closed or given away. */
  onGone(connection: FastConnection): void;
}

/** A parsed head with its plan and its bytes. */
interface KnownHead {
  head: PlainHead;
  plan: CallPlan;
  bytes: Buffer;
}

/**
 * How long the reader waits for the rest of a request, in ms: as long as a sender may wait for an acknowledgement between head and body. Slower
 * requests are left to Node's server and its time limits.
 */
const patienceMs = 250;

/** The most pieces in which a request may arrive. Each piece makes the reader copy and parse the request again. */
const piecesMax = 8;

/** How much is read ahead while a call is in progress, and of a request that comes in pieces, in bytes. */
const readAheadMaxBytes = 64 * 1024;

/**
 * An HTTP/1.1 connection of the fast reader. It reads requests directly from the socket, one at a time, and writes their answers. It consumes a
 * request only when it is complete, so Node's server can read an unsupported one again from its first byte; it then keeps the connection.
 *
 * States: waiting for the first request (`fresh`), waiting for another one (`idle`), or with bytes or a call in progress (`busy`).
 */
export class FastConnection implements AnswerWriter {
  readonly #socket: Socket;
  readonly #dependencies: FastConnectionDependencies;
  readonly #peer: Peer;
  #unread: Buffer | undefined = undefined;
  #lastHead: KnownHead | undefined = undefined;
  #call: FastCall | undefined = undefined;
  /** The number of requests consumed. */
  #consumed = 0;
  #pieces = 0;
  #patience: NodeJS.Timeout | undefined = undefined;
  #startedMs: number | undefined = undefined;
  #isConsuming = false;
  /** Ticks of the fast reader's timer since bytes were received or an answer was finished. */
  quietTicks = 0;

  constructor(socket: Socket, dependencies: FastConnectionDependencies) {
    this.#socket = socket;
    this.#dependencies = dependencies;
    this.#peer = peerOf(socket);
    socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
    socket.on("close", this.#onClose);
  }

  get socket(): Socket {
    return this.#socket;
  }

  get state(): "fresh" | "idle" | "busy" {
    if (this.#call !== undefined || this.#unread !== undefined) return "busy";
    return this.#consumed === 0 ? "fresh" : "idle";
  }

  /** Closes the connection. If a call is in progress, the connection closes after its answer instead. */
  close(): void {
    if (this.#call !== undefined) return;
    if (this.#unread === undefined || this.#consumed === 0) this.#socket.destroy();
    else this.#leave();
  }

  send({ header, body }: EncodedAnswer): void {
    header["content-length"] ??= String(Buffer.byteLength(body));
    this.#write(200, header, body);
  }

  refuse({ status, header, body }: WholeAnswer): void {
    this.#write(status, Object.fromEntries(header), body);
  }

  abandon(): void {
    this.#socket.destroy();
  }

  giveUp(): void {
    this.#socket.destroy();
  }

  #onData = (chunk: Buffer): void => {
    this.quietTicks = 0;
    this.#unread = this.#unread === undefined ? chunk : Buffer.concat([this.#unread, chunk]);
    if (this.#call === undefined) this.#consumeAll();
    else if (this.#unread.byteLength > readAheadMaxBytes) this.#socket.pause();
  };

  #onEnd = (): void => {
    const unread = this.#unread;
    if (this.#call === undefined && unread !== undefined) {
      this.#release();
      this.#dependencies.onCutOff(this.#socket, unread);
    } else if (this.#call === undefined && this.#consumed === 0) {
      this.#socket.destroy();
    } else {
      // As Node's server does, with or without a call in progress.
      this.#socket.end();
    }
  };

  #onClose = (): void => {
    const call = this.#call;
    this.#call = undefined;
    this.#release();
    call?.close();
  };

  /** Consumes requests while they are complete and answered at once. */
  #consumeAll(): void {
    this.#isConsuming = true;
    while (this.#unread !== undefined && this.#call === undefined && this.#consumeNext(this.#unread));
    this.#isConsuming = false;
  }

  /** Consumes a request. Returns false if there is none, or if the connection was given away. */
  #consumeNext(bytes: Buffer): boolean {
    const known = this.#knownHead(bytes) ?? this.#newHead(bytes);
    if (known === "unsupported") return this.#leave();
    if (known === "incomplete") return this.#waitForMore();
    const { head, plan } = known;
    if (this.#peer.isForHealth && plan.unary.isBounded) {
      this.#socket.destroy();
      return false;
    }
    const endsAt = head.headBytes + head.bodyBytes;
    this.#startedMs ??= performance.now();
    // A deadline within the wait is left to the timers of the unary fast path on Node's server, which also admits a call before it collects its body.
    if (bytes.byteLength < endsAt) return plan.timeoutMs > patienceMs && endsAt <= readAheadMaxBytes ? this.#waitForMore() : this.#leave();
    this.#stopWaiting();
    const call = this.#dependencies.calls.begin(plan, head, this, this.#startedMs, this.#peer);
    this.#call = call;
    this.#peer.begin();
    this.#unread = bytes.byteLength === endsAt ? undefined : bytes.subarray(endsAt);
    this.#consumed += 1;
    // A refused call waits for its answer, and the connection is not read meanwhile.
    if (!call.admit() || call.take(bytes.subarray(head.headBytes, endsAt))) return true;
    this.#consumed -= 1;
    this.#call = undefined;
    this.#peer.end();
    this.#unread = bytes;
    return this.#leave();
  }

  /** Returns the head of the last request if this one has the same bytes. Most clients repeat one head. */
  #knownHead(bytes: Buffer): KnownHead | undefined {
    const known = this.#lastHead;
    if (known === undefined) return undefined;
    const { headBytes } = known.head;
    return bytes.byteLength >= headBytes && known.bytes.compare(bytes, 0, headBytes) === 0 ? known : undefined;
  }

  #newHead(bytes: Buffer): KnownHead | "incomplete" | "unsupported" {
    const head = parsePlainHead(bytes.toString("latin1", 0, plainHeadMaxBytes));
    if (head === "incomplete" || head === "unsupported") return head;
    const plan = this.#dependencies.calls.plan(head);
    if (plan === undefined) return "unsupported";
    this.#lastHead = { head, plan, bytes: Buffer.from(bytes.subarray(0, head.headBytes)) };
    return this.#lastHead;
  }

  #waitForMore(): false {
    this.#pieces += 1;
    if (this.#pieces >= piecesMax) return this.#leave();
    this.#patience ??= setTimeout(() => this.#leave(), patienceMs);
    return false;
  }

  #stopWaiting(): void {
    this.#pieces = 0;
    if (this.#patience !== undefined) clearTimeout(this.#patience);
    this.#patience = undefined;
  }

  #write(status: number, header: Record<string, string>, body: Uint8Array | string): void {
    const socket = this.#socket;
    // The client ended its side, so this side was ended too.
    if (!socket.writable) return;
    const { isClosing, keepAliveLines } = this.#dependencies;
    const isLast = isClosing();
    const bodyBytes = Buffer.byteLength(body);
    sendAtOnce(socket, responseHead(status, header, bodyBytes, isLast ? undefined : keepAliveLines), body, bodyBytes);
    if (isLast) socket.destroySoon();
    else if (socket.writableLength === 0) this.#finish();
    // The next request is not read before the operating system has accepted this answer.
    else socket.write("", "latin1", (error) => (error ? undefined : this.#finish()));
  }

  #finish(): void {
    const call = this.#call;
    if (call === undefined) return;
    this.#call = undefined;
    this.#startedMs = undefined;
    this.quietTicks = 0;
    this.#peer.end();
    call.close();
    if (this.#dependencies.isClosing()) {
      this.#socket.destroySoon();
      return;
    }
    if (this.#socket.isPaused()) this.#socket.resume();
    if (!this.#isConsuming) this.#consumeAll();
  }

  /** Gives the connection to Node's server. */
  #leave(): false {
    const unread = this.#unread ?? Buffer.alloc(0);
    this.#release();
    this.#dependencies.handOver({ socket: this.#socket, unread, isFresh: this.#consumed === 0, startedMs: this.#startedMs });
    return false;
  }

  #release(): void {
    this.#stopWaiting();
    this.#unread = undefined;
    this.#socket.off("data", this.#onData);
    this.#socket.off("end", this.#onEnd);
    this.#socket.off("close", this.#onClose);
    this.#dependencies.onGone(this);
  }
}
