import { describe, expect, it } from "vitest";
import { mayReach, type Networks, parseNetworks } from "./networks.ts";

const refused: [kind: string, ...addresses: string[]][] = [
  ["loopback", "127.0.0.1", "127.255.255.254", "::1"],
  ["private", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"],
  ["link-local", "169.254.0.1", "fe80::1", "febf::1", "fe80::1%eth0"],
  ["metadata", "169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"],
  ["unique-local", "fc00::1", "fdff:ffff::1"],
  ["shared", "100.64.0.1", "100.127.255.255"],
  ["this host", "0.0.0.0", "0.1.2.3", "::"],
  ["multicast and broadcast", "224.0.0.1", "239.255.255.255", "255.255.255.255", "ff02::1"],
  ["reserved", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "240.0.0.1", "2001:db8::1", "fec0::1"],
  ["mapped", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::ffff:7f00:1", "::ffff:0:127.0.0.1"],
  ["compatible", "::127.0.0.1", "::a9fe:a9fe"],
  ["NAT64", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"],
  ["6to4 and Teredo", "2002:7f00:1::1", "2002:a9fe:a9fe::1", "2001:0:7f00:1::1"],
  ["outside of the global part", "1000::1", "4000::1", "100::1"],
  ["no address", "", "localhost", "127.0.0.1.example", "1.2.3.4/8"],
];

describe("without allowed networks", () => {
  it.each(refused)("%s addresses are refused", (_kind, ...addresses) => {
    expect(addresses.filter((address) => mayReach(address, []))).toEqual([]);
  });

  it("public addresses are reached", () => {
    const addresses = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "169.253.0.1", "2606:4700::1111", "2a00:1450:4001::1"];
    expect(addresses.filter((address) => !mayReach(address, []))).toEqual([]);
  });
});

describe("allowed networks", () => {
  const allowed = parseNetworks("127.0.0.0/8, 10.1.0.0/16,fd00::/8") as Networks;

  it.each(["127.0.0.1", "::ffff:127.0.0.1", "10.1.255.1", "fd12::1"])("include %s", (address) => {
    expect(mayReach(address, allowed)).toBe(true);
  });

  it.each(["10.2.0.1", "::1", "fc00::1", "169.254.169.254", "64:ff9b::7f00:1"])("do not include %s", (address) => {
    expect(mayReach(address, allowed)).toBe(false);
  });

  it.each(["127.0.0.1", "127.0.0.0/33", "loopback", "10.0.0.0/8;::1/128", "::/129"])("are not valid as %s", (text) => {
    expect(parseNetworks(text)).toBeUndefined();
  });

  it("may be empty", () => {
    expect(parseNetworks("")).toEqual([]);
  });
});
