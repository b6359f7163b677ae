import { expect, test } from "vitest";
import { managementAddress, parseAddress } from "./address.ts";

test.each([
  ["127.0.0.1:9420", { host: "127.0.0.1", port: 9420 }],
  ["gateway.internal:0", { host: "gateway.internal", port: 0 }],
  ["[::1]:65535", { host: "::1", port: 65_535 }],
])("%s is an address", (text, address) => expect(parseAddress(text)).toEqual(address));

test.each(["", "9420", ":9420", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:9420", "a b:1", "http://a:1", "a:1/metrics"])(
  "%j is no address",
  (text) => expect(parseAddress(text)).toBeUndefined(),
);

test("the management listener is on loopback, 1000 above the public port, where there is such a port", () => {
  expect(managementAddress({ management: "", port: 8420 })).toEqual({ host: "127.0.0.1", port: 9420 });
  expect(managementAddress({ management: "", port: 0 })).toEqual({ host: "127.0.0.1", port: 0 });
  expect(managementAddress({ management: "", port: 64_536 })).toEqual({ host: "127.0.0.1", port: 0 });
  expect(managementAddress({ management: "10.0.0.7:9999", port: 8420 })).toEqual({ host: "10.0.0.7", port: 9999 });
});
