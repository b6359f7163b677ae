import type { IncomingHttpHeaders } from "node:http";
import { compressionNegotiate, type UniversalHandler } from "@connectrpc/connect/protocol";
import { compressionGzip } from "@connectrpc/connect-node";
import { bodyMaxBytes } from "../http/request-body.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { CallLimits } from "../limits/call-limits.ts";
import { deadlineHeaderOf, effectiveDeadline, readDeadline } from "../limits/deadline.ts";
import { type PlainForm, plainFormOf } from "./plain-form.ts";
import type { UnaryMethod } from "./unary-methods.ts";

/** How a plain call is answered: all that its head decides. */
export interface CallPlan {
  readonly unary: UnaryMethod;
  /** Where the call goes if its body turns out to be nothing plain. */
  readonly handler: UniversalHandler;
  readonly form: PlainForm;
  /** The time that the call may take, in ms. */
  readonly timeoutMs: number;
  readonly acceptsGzip: boolean;
}

/** The plan for a head; undefined where it is not one of a plain unary call. Equal heads have the same plan. */
export type PlanCall = (head: RequestHead) => CallPlan | undefined;

/** Makes what tells plain calls from others. */
export function createPlanner(
  methods: ReadonlyMap<string, UnaryMethod>,
  handlers: ReadonlyMap<string, UniversalHandler>,
  limits: CallLimits,
): PlanCall {
  const bounds = { ...limits, streaming: false };

  return (head) => {
    const { path, headers } = head;
    const unary = methods.get(path);
    const handler = handlers.get(path);
    if (unary === undefined || handler === undefined) return undefined;
    const form = plainFormOf(head);
    if (form === undefined) return undefined;
    const { protocol } = form;
    if (Number(headers["content-length"] ?? 0) > bodyMaxBytes(protocol, limits.readMaxBytes)) return undefined;
    const wantedMs = readDeadline(headerOf(headers, deadlineHeaderOf(protocol)), protocol);
    const timeoutMs = wantedMs === "unreadable" ? undefined : effectiveDeadline(wantedMs, bounds);
    if (timeoutMs === undefined || timeoutMs <= 0) return undefined;
    return { unary, handler, form, timeoutMs, acceptsGzip: acceptsGzip(headers, form) };
  };
}

function headerOf(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  return value === undefined ? null : String(value);
}

function acceptsGzip(headers: IncomingHttpHeaders, { acceptEncodingHeader }: PlainForm): boolean {
  const accepted = headerOf(headers, acceptEncodingHeader);
  if (accepted === null || accepted === "identity") return false;
  return compressionNegotiate([compressionGzip], null, accepted, acceptEncodingHeader).response !== null;
}
