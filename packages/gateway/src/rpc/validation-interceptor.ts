import type { DescMessage, Message } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { validateMessage } from "@petak/protocol";
import { tap } from "./streams.ts";

/** Tells, for messages of one type, which are known to break no constraint. False where it does not know. */
export interface KnownValid {
  readonly schema: DescMessage;
  isKnownValid(message: Message): boolean;
}

/**
 * Checks every message that comes in against the constraints of its schema: INVALID_FIELD with all the fields that break a rule.
 *
 * @param shortcuts For messages of which so many come that their checks count.
 */
export function createValidationInterceptor(shortcuts: readonly KnownValid[] = []): Interceptor {
  const shortcutBy = new Map(shortcuts.map((shortcut) => [shortcut.schema, shortcut]));
  return (next) => (req) => {
    const { input } = req.method;
    const check = (message: Message): void => {
      if (shortcutBy.get(input)?.isKnownValid(message) !== true) validateMessage<DescMessage>(input, message);
    };
    if (req.stream) return next({ ...req, message: tap(req.message, check) });
    check(req.message);
    return next(req);
  };
}
