import { expect, test } from "vitest";
import { defaultManagementUrl, gatewayUrl } from "./gateway-url.ts";

test.each([
  ["127.0.0.1", "http://127.0.0.1:8420"],
  ["gateway.example", "http://gateway.example:8420"],
  ["::1", "http://[::1]:8420"],
  ["fd00:0:0::2", "http://[fd00::2]:8420"],
  ["0.0.0.0", "http://127.0.0.1:8420"],
  ["::", "http://[::1]:8420"],
  ["0:0:0:0:0:0:0:0", "http://[::1]:8420"],
])("a gateway that listens on %s is reached at %s", (host, url) => {
  expect(gatewayUrl("http", host, 8420)).toBe(url);
});

test("the port is included even if it is the scheme's default", () => {
  expect(gatewayUrl("https", "gateway.example", 443)).toBe("https://gateway.example:443");
});

test.each([
  ["http://127.0.0.1:8420", "http://127.0.0.1:9420"],
  ["http://[::1]:8420/", "http://[::1]:9420"],
  ["https://gateway.example", "http://gateway.example:1443"],
  ["http://gateway.example", "http://gateway.example:1080"],
])("the management listener of %s is at %s, unless it says otherwise", (url, managementUrl) => {
  expect(defaultManagementUrl(url)).toBe(managementUrl);
});
