import type { IncomingHttpHeaders } from "node:http";
import { compressionNegotiate } from "@connectrpc/connect/protocol";
import { compressionGzip } from "@connectrpc/connect-node";
import type { RequestHead } from "../http/node-http.ts";
import { bodyMaxBytes } from "../http/request-body.ts";
import { readMaxBytesOf } from "../limits/admission.ts";
import type { CallLimits } from "../limits/call-limits.ts";
import { deadlineHeaderOf, effectiveDeadline, parseDeadline } from "../limits/deadline.ts";
import { type PlainForm, plainFormOf } from "./plain-form.ts";
import type { UnaryMethod } from "./unary-methods.ts";

/** Everything about a plain call that its head decides. */
export interface CallPlan {
  readonly unary: UnaryMethod;
  readonly form: PlainForm;
  /** The time that the call may take, in ms. */
  readonly timeoutMs: number;
  /** The longest message, in bytes. */
  readonly readMaxBytes: number;
  readonly acceptsGzip: boolean;
}

/** Returns the plan for a head. Undefined if it is not the head of a plain call. Equal heads have equal plans. */
export type PlanCall = (head: RequestHead) => CallPlan | undefined;

/** Returns the function that tells plain calls from others. */
export function createPlanner(methods: ReadonlyMap<string, UnaryMethod>, limits: CallLimits): PlanCall {
  const deadlineLimits = { ...limits, streaming: false };

  return (head) => {
    const { path, headers } = head;
    const unary = methods.get(path);
    if (unary === undefined) return undefined;
    const form = plainFormOf(head);
    if (form === undefined) return undefined;
    const { protocol } = form;
    const readMaxBytes = readMaxBytesOf(unary.method.parent, unary.name, limits);
    if (Number(headers["content-length"] ?? 0) > bodyMaxBytes(protocol, readMaxBytes)) return undefined;
    const requestedMs = parseDeadline(headerOf(headers, deadlineHeaderOf(protocol)), protocol);
    const timeoutMs = requestedMs === "invalid" ? undefined : effectiveDeadline(requestedMs, deadlineLimits);
    if (timeoutMs === undefined || timeoutMs <= 0) return undefined;
    return { unary, form, timeoutMs, readMaxBytes, acceptsGzip: acceptsGzip(headers, form) };
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
