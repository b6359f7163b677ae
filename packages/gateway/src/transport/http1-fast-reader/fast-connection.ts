import type { Socket } from "node:net";
import type { WholeAnswer } from "../http/send-answer.ts";
import type { AnswerWriter, BufferedCalls, CallPlan, EncodedAnswer, FastCall } from "../unary-fast-path/unary-fast-path.ts";
import { type PlainHead, parsePlainHead, plainHeadMaxBytes } from "./plain-head.ts";
import { responseHead } from "./response-head.ts";
import { sendAtOnce } from "./send-at-once.ts";

/** A connection that leaves the fast reader. */
export interface LeavingConnection {
  socket: Socket;
  /** What came and was not taken, to be read again. */
  unread: Buffer;
  /** Whether it has shown no request before. */
  isFresh: boolean;
  /** What `performance.now()` said when the head of the request came that is to be read again. Undefined: just now. */
  startedMs: number | undefined;
}

/** What all connections by the fast reader share. */
export interface FastConnectionDependencies {
  calls: BufferedCalls;
  /** The headers of an answer after which the connection is kept. */
  keepAliveLines: string;
  /** Whether the server closes. */
  isClosing(): boolean;
  /** Takes a connection that has something which is not for the fast reader. It does not come back. */
  handOver(leaving: LeavingConnection): void;
  /** Answers, and closes, a connection whose client ended its side within a request. */
  onCutOff(socket: Socket, unread: Buffer): void;
  /** Told once, when the fast reader has nothing to do with a connection any more. */
  onGone(connection: FastConnection): void;
}

/** A head that came, what it means, and its bytes. */
interface KnownHead {
  head: PlainHead;
  plan: CallPlan;
  bytes: Buffer;
}

/**
 * How long the rest of a request is waited for that did not come at once, in ms: as long as a sender waits for an acknowledgement before it
 * sends a body after its head. Whoever takes longer is timed by Node's server.
 */
const patienceMs = 250;

/** In how many pieces a request may come. More would be put together and looked at too often. */
const piecesMax = 8;

/** How much is read ahead while a call is answered, in bytes. */
const readAheadMaxBytes = 64 * 1024;

/**
 * A connection of HTTP/1.1 by the fast reader: it reads requests off the socket itself, one at a time, and writes their answers. It takes a
 * request only when all of it is there, so that whatever turns out not to be for the fast reader can be read again from its first byte, by
 * Node's server, which then has the connection for good.
 */
export class FastConnection implements AnswerWriter {
  readonly #socket: Socket;
  readonly #surroundings: FastConnectionDependencies;
  #unread: Buffer | undefined = undefined;
  #known: KnownHead | undefined = undefined;
  #call: FastCall | undefined = undefined;
  /** How many requests were taken. */
  #taken = 0;
  #pieces = 0;
  #patience: NodeJS.Timeout | undefined = undefined;
  #startedMs: number | undefined = undefined;
  #isTaking = false;
  /** Ticks of the fast reader's clock since anything came or went. */
  quietTicks = 0;

  constructor(socket: Socket, surroundings: FastConnectionDependencies) {
    this.#socket = socket;
    this.#surroundings = surroundings;
    socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
    socket.on("close", this.#onClose);
  }

  get socket(): Socket {
    return this.#socket;
  }

  /** Whether it has shown nothing yet, waits for another request, or does something. */
  get state(): "fresh" | "idle" | "busy" {
    if (this.#call !== undefined || this.#unread !== undefined) return "busy";
    return this.#taken === 0 ? "fresh" : "idle";
  }

  /** Closes it, unless a call is answered: then its answer says that it is the last one. */
  close(): void {
    if (this.#call !== undefined) return;
    if (this.#unread === undefined || this.#taken === 0) this.#socket.destroy();
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

  #onData = (chunk: Buffer): void => {
    this.quietTicks = 0;
    this.#unread = this.#unread === undefined ? chunk : Buffer.concat([this.#unread, chunk]);
    if (this.#call === undefined) this.#takeAll();
    else if (this.#unread.byteLength > readAheadMaxBytes) this.#socket.pause();
  };

  #onEnd = (): void => {
    const unread = this.#unread;
    if (this.#call === undefined && unread !== undefined) {
      this.#release();
      this.#surroundings.onCutOff(this.#socket, unread);
    } else if (this.#call === undefined && this.#taken === 0) {
      this.#socket.destroy();
    } else {
      // As Node's server does, with or without a call in hand.
      this.#socket.end();
    }
  };

  #onClose = (): void => {
    const call = this.#call;
    this.#call = undefined;
    this.#release();
    call?.close();
  };

  /** Takes request after request, as far as they are there and are answered at once. */
  #takeAll(): void {
    this.#isTaking = true;
    while (this.#unread !== undefined && this.#call === undefined && this.#takeNext(this.#unread));
    this.#isTaking = false;
  }

  /** Takes a request. False where there is none to be taken, now or ever. */
  #takeNext(bytes: Buffer): boolean {
    const known = this.#knownHead(bytes) ?? this.#newHead(bytes);
    if (known === "unsupported") return this.#leave();
    if (known === "incomplete") return this.#waitForMore();
    const { head, plan } = known;
    const endsAt = head.headBytes + head.bodyBytes;
    this.#startedMs ??= performance.now();
    // Where the deadline is so near, Node's server can keep it better.
    if (bytes.byteLength < endsAt) return plan.timeoutMs > patienceMs ? this.#waitForMore() : this.#leave();
    this.#stopWaiting();
    const call = this.#surroundings.calls.begin(plan, head, this, this.#startedMs);
    this.#call = call;
    this.#unread = bytes.byteLength === endsAt ? undefined : bytes.subarray(endsAt);
    this.#taken += 1;
    if (call.take(bytes.subarray(head.headBytes, endsAt))) return true;
    this.#taken -= 1;
    this.#call = undefined;
    this.#unread = bytes;
    return this.#leave();
  }

  /** The head of the last request, where this one has the same, byte for byte: most clients write one over and over. */
  #knownHead(bytes: Buffer): KnownHead | undefined {
    const known = this.#known;
    if (known === undefined) return undefined;
    const { headBytes } = known.head;
    return bytes.byteLength >= headBytes && known.bytes.compare(bytes, 0, headBytes) === 0 ? known : undefined;
  }

  #newHead(bytes: Buffer): KnownHead | "incomplete" | "unsupported" {
    const head = parsePlainHead(bytes.toString("latin1", 0, plainHeadMaxBytes));
    if (head === "incomplete" || head === "unsupported") return head;
    const plan = this.#surroundings.calls.plan(head);
    if (plan === undefined) return "unsupported";
    this.#known = { head, plan, bytes: Buffer.from(bytes.subarray(0, head.headBytes)) };
    return this.#known;
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
    // The client has ended its side, and so was this one ended.
    if (!socket.writable) return;
    const { isClosing, keepAliveLines } = this.#surroundings;
    const isLast = isClosing();
    const bodyBytes = Buffer.byteLength(body);
    sendAtOnce(socket, responseHead(status, header, bodyBytes, isLast ? undefined : keepAliveLines), body, bodyBytes);
    if (isLast) socket.destroySoon();
    else if (socket.writableLength === 0) this.#finish();
    // The next request is not read before the system has taken this answer.
    else socket.write("", "latin1", (error) => (error ? undefined : this.#finish()));
  }

  #finish(): void {
    const call = this.#call;
    if (call === undefined) return;
    this.#call = undefined;
    this.#startedMs = undefined;
    this.quietTicks = 0;
    call.close();
    if (this.#surroundings.isClosing()) {
      this.#socket.destroySoon();
      return;
    }
    if (this.#socket.isPaused()) this.#socket.resume();
    if (!this.#isTaking) this.#takeAll();
  }

  /** Gives the connection away. */
  #leave(): false {
    const unread = this.#unread ?? Buffer.alloc(0);
    this.#release();
    this.#surroundings.handOver({ socket: this.#socket, unread, isFresh: this.#taken === 0, startedMs: this.#startedMs });
    return false;
  }

  #release(): void {
    this.#stopWaiting();
    this.#unread = undefined;
    this.#socket.off("data", this.#onData);
    this.#socket.off("end", this.#onEnd);
    this.#socket.off("close", this.#onClose);
    this.#surroundings.onGone(this);
  }
}
