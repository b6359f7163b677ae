import { recordedCommand } from "../tracing/recorded-command.ts";

type Command = (...args: unknown[]) => Promise<unknown>;

const recording = new WeakSet<object>();

/**
 * Lets a connection record the commands of calls whose commands are recorded. They are replaced on this connection only, by name: below that, commands of several
 * calls are sent together, when it cannot be told any more whose they are. Scripts record themselves.
 */
export function recordCommands(connection: { getBuiltinCommands(): string[] }): void {
  recording.add(connection);
  const commands = connection as unknown as Record<string, Command | undefined>;
  for (const command of connection.getBuiltinCommands()) {
    // A transaction begins with an object, not with a reply.
    if (command.startsWith("eval") || command === "multi") continue;
    for (const name of [command, `${command}Buffer`]) {
      const send = commands[name];
      if (typeof send !== "function") continue;
      const operation = command.toUpperCase();
      commands[name] = (...args) => recordedCommand(operation, "", () => Reflect.apply(send, connection, args));
    }
  }
}

/** Whether {@link recordCommands} was called for a connection. */
export function recordsCommands(connection: object): boolean {
  return recording.has(connection);
}
