import { describe, expect, it } from "vitest";
import { checkEndpointUrl } from "./endpoint-url.ts";
import { type Networks, parseNetworks } from "./networks.ts";

const strict = { allowedNetworks: [], allowHttp: false };
const loopback = { allowedNetworks: parseNetworks("127.0.0.0/8") as Networks, allowHttp: true };

describe("the URL of an endpoint", () => {
  it.each([
    "https://hooks.example/petak",
    "https://hooks.example:8443/a?b=c",
    "https://hooks.example:80/",
    "https://8.8.8.8/",
    "https://[2606:4700::1111]/",
  ])("may be %s", (text) => {
    expect(checkEndpointUrl(text, strict)).toEqual(new URL(text));
  });

  it.each<[string, RegExp]>([
    ["hooks.example", /begins with https/],
    ["ftp://hooks.example/", /begins with https/],
    ["https://", /begins with https/],
    ["http://hooks.example/", /unencrypted HTTP/],
    ["https://user:secret@hooks.example/", /user or password/],
    ["https://hooks.example/#", /fragment/],
    ["https://hooks.example:25/", /the port .* not 25$/],
    ["https://127.0.0.1/", /does not send/],
    ["https://0x7f.1/", /does not send/],
    ["https://2130706433/", /does not send/],
    ["https://[::1]/", /does not send/],
    ["https://[::ffff:169.254.169.254]/", /does not send/],
    ["https://169.254.169.254/latest/meta-data", /does not send/],
  ])("may not be %s", (text, why) => {
    expect(checkEndpointUrl(text, strict)).toMatch(why);
  });

  it("may name addresses that the configuration allows", () => {
    expect(checkEndpointUrl("http://127.0.0.1:8080/", loopback)).toEqual(new URL("http://127.0.0.1:8080/"));
    expect(checkEndpointUrl("http://[::1]:8080/", loopback)).toMatch(/does not send/);
  });
});
