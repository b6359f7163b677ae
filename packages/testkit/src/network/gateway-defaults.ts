/** The audience of test gateways. */
export const testAudience = "petak-test";

/** Default settings of test gateways: a free port of this machine with server reflection, and the limits of `petak gateway`. */
export const gatewayDefaults = {
  audience: testAudience,
  host: "127.0.0.1",
  port: 0,
  reflection: true,
  shutdownGraceMs: 5000,
  holdDefaultMs: 900_000,
  holdMaxMs: 86_400_000,
  depositDefaultMs: 86_400_000,
  collectWithinMs: 259_200_000,
  storageMaxMs: 1_209_600_000,
} as const;
