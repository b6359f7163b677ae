/** Log of an agent; a pino logger fits. The agent logs no secrets. */
export interface AgentLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
