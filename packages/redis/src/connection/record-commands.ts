import { Cluster, type Redis } from "ioredis";
import { recordedCommand } from "../tracing/recorded-command.ts";

type Command = (...args: unknown[]) => Promise<unknown>;

const recording = new WeakSet<object>();

/**
 * Lets a connection record the commands of calls whose commands are recorded. They are replaced on this connection only, by name: below that, commands of several
 * calls are sent together, when it cannot be told any more whose they are. Scripts record themselves.
 */
export function recordCommands(connection: Redis | Cluster): void {
  recording.add(connection);
  if (connection instanceof Cluster) recordServers(connection);
  const commands = connection as object as Record<string, Command | undefined>;
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

/** Commands go by the cluster's connection. Those that are opened to one of its servers, by the index cache, are recorded too. */
function recordServers(cluster: Cluster): void {
  for (const server of cluster.nodes()) recording.add(server);
  cluster.on("+node", (server: Redis) => recording.add(server));
}

/** Whether {@link recordCommands} was called for a connection. */
export function recordsCommands(connection: object): boolean {
  return recording.has(connection);
}
