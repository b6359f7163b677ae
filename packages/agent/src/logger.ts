/** Where an agent writes what its operator should know. A pino logger is one. Nothing secret goes there. */
export interface AgentLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
