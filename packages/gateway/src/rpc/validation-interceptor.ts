import type { DescMessage, Message } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { validateMessage } from "@petak/protocol";
import { tap } from "./streams.ts";

/** Tells, for messages of one type, which are known to break no constraint. False where it does not know. */
export interface KnownValid {
  readonly schema: DescMessage;
  isKnownValid(message: Message): boolean;
}

/** Throws INVALID_FIELD with all the fields of a message that break a rule of its schema. */
export type ValidateMessage = (schema: DescMessage, message: Message) => void;

/**
 * Makes what checks every message that comes in.
 *
 * @param shortcuts For messages of which so many come that their checks count.
 */
export function createValidation(shortcuts: readonly KnownValid[] = []): ValidateMessage {
  const shortcutBy = new Map(shortcuts.map((shortcut) => [shortcut.schema, shortcut]));
  return (schema, message) => {
    if (shortcutBy.get(schema)?.isKnownValid(message) !== true) validateMessage<DescMessage>(schema, message);
  };
}

/** Checks every message that comes in against the constraints of its schema. */
export function createValidationInterceptor(validate: ValidateMessage): Interceptor {
  return (next) => (req) => {
    const { input } = req.method;
    if (req.stream) return next({ ...req, message: tap(req.message, (message) => validate(input, message)) });
    validate(input, req.message);
    return next(req);
  };
}
