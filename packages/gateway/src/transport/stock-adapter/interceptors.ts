import type { Interceptor } from "@connectrpc/connect";
import { validateMessage } from "@petak/protocol";
import type { Logger } from "../../observability/logger.ts";
import { callKey } from "../call/call.ts";
import type { CallStep, CheckValidated } from "../call/call-step.ts";
import type { CallerAccounts } from "../call/caller-accounts.ts";
import type { Ticket } from "../call/ticket.ts";
import type { Admission } from "../limits/admission.ts";
import { createDeadlineInterceptor } from "./deadline-interceptor.ts";
import { createErrorsInterceptor } from "./errors-interceptor.ts";
import { sentMessageKey } from "./sent-message.ts";
import { mapErrors, tap } from "./streams.ts";

/** What every call passes through, on whichever path it is handled. */
export interface CallSequence {
  admission: Admission;
  callers: CallerAccounts;
  /** The steps between the deadline and the validation, outermost first. Callers are identified there, so strangers learn nothing about fields. */
  steps: readonly CallStep[];
  checkValidated?: CheckValidated | undefined;
}

/** Options of {@link stockInterceptors}. */
export interface StockInterceptorsOptions extends CallSequence {
  logger: Logger;
  /** See {@link createErrorsInterceptor}. */
  readMaxBytes: number;
  /** See {@link createDeadlineInterceptor}. */
  shutdownSignal: AbortSignal | undefined;
}

/**
 * Returns the interceptors of the stock adapter, outermost first: errors, deadline, the steps, the caller's share, validation, the last check. A call is admitted
 * before, when its headers arrive. `unary-fast-path/fast-call.ts` does the same in the same order.
 */
export function stockInterceptors(options: StockInterceptorsOptions): Interceptor[] {
  return [
    createErrorsInterceptor(options),
    createDeadlineInterceptor(options),
    ...options.steps.map(stepInterceptor),
    shareInterceptor(options.callers),
    validationInterceptor,
    ...(options.checkValidated === undefined ? [] : [checkInterceptor(options.checkValidated)]),
  ];
}

/** Runs a step as an interceptor. */
export function stepInterceptor(step: CallStep): Interceptor {
  const translate = (thrown: unknown): unknown => step.translate?.(thrown) ?? thrown;
  return (next) => async (request) => {
    await step.before?.(request);
    try {
      const response = await next(request);
      return response.stream ? { ...response, message: mapErrors(response.message, translate) } : response;
    } catch (thrown) {
      throw translate(thrown);
    }
  };
}

/** Takes a turn of the caller when a message has arrived or the last one has, and none while one is awaited: a stream may wait for ever. */
async function* inTurns<T>(messages: AsyncIterable<T>, ticket: Ticket): AsyncGenerator<T, void, undefined> {
  const input = messages[Symbol.asyncIterator]();
  try {
    for (;;) {
      ticket.pause();
      const next = await input.next();
      await ticket.start();
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // Not awaited, since it may wait for the client.
    input.return?.().catch(() => {});
  }
}

/** Ends the turn of a stream at its first answer, or at its end: from then on it is mostly idle, and counts among the streams of its caller only. */
async function* untilBegun<T>(messages: AsyncIterable<T>, ticket: Ticket): AsyncGenerator<T, void, undefined> {
  try {
    for await (const message of messages) {
      ticket.pause();
      yield message;
    }
  } finally {
    ticket.pause();
  }
}

/** Counts a call for its caller, who is known now, and lets it wait for others of the same caller. */
function shareInterceptor(callers: CallerAccounts): Interceptor {
  return (next) => async (req) => {
    const ticket = req.contextValues.get(callKey)?.ticket;
    const account = callers.accountOf(req.contextValues);
    if (account !== undefined) ticket?.identify(account);
    if (ticket === undefined) return await next(req);
    if (req.stream) {
      try {
        const response = await next({ ...req, message: inTurns(req.message, ticket) });
        return response.stream ? { ...response, message: untilBegun(response.message, ticket) } : response;
      } catch (thrown) {
        ticket.pause();
        throw thrown;
      }
    }
    await ticket.start();
    try {
      return await next(req);
    } finally {
      ticket.pause();
    }
  };
}

/** Runs the last check of unary calls. */
function checkInterceptor(check: CheckValidated): Interceptor {
  return (next) => async (request) => {
    if (request.stream) return next(request);
    const { service, method, contextValues, message } = request;
    await check({
      service,
      method,
      contextValues,
      message,
      get messageBytes() {
        return contextValues.get(sentMessageKey)?.();
      },
    });
    return next(request);
  };
}

/** Checks every request message against the constraints of its schema. */
const validationInterceptor: Interceptor = (next) => (req) => {
  const { input } = req.method;
  if (req.stream) return next({ ...req, message: tap(req.message, (message) => validateMessage(input, message)) });
  validateMessage(input, req.message);
  return next(req);
};
