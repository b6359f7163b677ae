import ipaddr from "ipaddr.js";
import { expect, test } from "vitest";
import { addressAccount, Peer, type ProxyHeader, sourceOf } from "./peer.ts";

function behind(address: string, header: ProxyHeader, value: string): string {
  const networks = [ipaddr.parseCIDR("10.0.0.0/8"), ipaddr.parseCIDR("fd00::/8")];
  return sourceOf(new Peer(address, { networks, header }), { [header]: value });
}

test("an IPv4 address counts by itself, an IPv6 address by its /64", () => {
  expect(addressAccount("::ffff:192.0.2.7")).toBe("192.0.2.7");
  expect(addressAccount("2001:db8:0:1:2:3:4:5")).toBe("2001:db8:0:1::/64");
  expect(addressAccount("2001:db8:0:1::9")).toBe(addressAccount("2001:db8:0:1:ffff::"));
  expect(addressAccount(undefined)).toBe("unknown address");
});

test("a forwarded address is taken from trusted proxies only, and is the last one that is no trusted proxy", () => {
  expect(behind("192.0.2.7", "x-forwarded-for", "203.0.113.9")).toBe("192.0.2.7");
  expect(behind("10.0.0.1", "x-forwarded-for", "203.0.113.9")).toBe("203.0.113.9");
  expect(behind("::ffff:10.0.0.1", "x-forwarded-for", "1.1.1.1, 203.0.113.9, 10.2.3.4")).toBe("203.0.113.9");
  expect(behind("10.0.0.1", "x-forwarded-for", "203.0.113.9:4711")).toBe("203.0.113.9");
  expect(behind("fd00::1", "x-forwarded-for", "[2001:db8::7]:443")).toBe("2001:db8:0:0::/64");
  expect(behind("10.0.0.1", "forwarded", 'for=1.1.1.1, for="[2001:db8::7]:443";proto=https;by=10.0.0.1')).toBe("2001:db8:0:0::/64");
});

test("nonsense in a header, or none, leaves the nearest known address", () => {
  for (const value of ["", "unknown", "_hidden", "203.0.113.9, x"]) expect(behind("10.0.0.1", "x-forwarded-for", value)).toBe("10.0.0.1");
  expect(behind("10.0.0.1", "x-forwarded-for", "x, 10.9.9.9")).toBe("10.9.9.9");
  expect(behind("10.0.0.1", "forwarded", "proto=https")).toBe("10.0.0.1");
});
