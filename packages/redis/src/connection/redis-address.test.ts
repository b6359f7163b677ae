import { expect, test } from "vitest";
import { parseRedisAddress, type RedisAddress, redisAddressText } from "./redis-address.ts";

test.each([
  ["redis://localhost", { url: "redis://localhost" }],
  ["rediss://user:secret@redis.example:6380/2", { url: "rediss://user:secret@redis.example:6380/2" }],
  ["unix:///run/petak%20redis/server.sock", { socketPath: "/run/petak redis/server.sock" }],
  ["redis+cluster://a:7000", { cluster: [{ host: "a", port: 7000 }] }],
  [
    "redis+cluster://10.0.0.1:7000,b.example,[::1]:7002/",
    {
      cluster: [
        { host: "10.0.0.1", port: 7000 },
        { host: "b.example", port: 6379 },
        { host: "::1", port: 7002 },
      ],
    },
  ],
  ["rediss+cluster://petak:p%40ss@a:7000", { cluster: [{ host: "a", port: 7000 }], username: "petak", password: "p@ss", hasTls: true }],
])("%s is parsed", (text, address) => {
  expect(parseRedisAddress(text)).toEqual(address);
});

test.each([
  ["redis://user:secret@h:6379/2", "redis://h:6379/2"],
  ["rediss://:secret@[::1]:6380", "rediss://[::1]:6380"],
  ["redis://localhost?password=secret", "redis://localhost"],
  ["unix:///run/redis/server.sock", "unix:///run/redis/server.sock"],
  ["redis+cluster://user:secret@a,[::1]:7001", "redis+cluster://a:6379,[::1]:7001"],
  ["rediss+cluster://a:7000/", "rediss+cluster://a:7000"],
])("%s is formatted as %s", (text, told) => {
  expect(redisAddressText(parseRedisAddress(text) as RedisAddress)).toBe(told);
});

test.each([
  "",
  "localhost",
  "http://localhost",
  "redis+cluster://",
  "redis+cluster://a:7000,",
  "redis+cluster://a:7000,,b:7000",
  "redis+cluster://a:99999",
  "redis+cluster://a:7000/1",
  "redis+cluster://a:7000?b=c",
  "redis+cluster://a:7000,redis://b:7000",
  "unix+cluster:///run/server.sock",
])("%j is not an address", (text) => {
  expect(parseRedisAddress(text)).toBeUndefined();
});
