export type { RedisFlavour, RedisServerProgram } from "./find-redis-server.ts";
export { findRedisServer, minimumVersions } from "./find-redis-server.ts";
export type { RedisServerErrorCode } from "./redis-server-error.ts";
export { RedisServerError } from "./redis-server-error.ts";
export type { Appendfsync, ClusterNodeConfig } from "./server-config.ts";
export type { RedisServer, RedisServerExit, StartRedisServerOptions } from "./start-redis-server.ts";
export { startRedisServer } from "./start-redis-server.ts";
