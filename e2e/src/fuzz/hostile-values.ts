/** Strings that some code may interpret instead of treating as text. */
export const hostileTexts: readonly string[] = [
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\r\n\r\n",
  "../../../../etc/passwd",
  "%00%2e%2e%2f",
  "' OR '1'='1",
  "<script>alert(1)</script>",
  "$(reboot)",
  "{83652b}:events",
  "*",
  "__proto__",
  "constructor",
  "NaN",
  "-1",
  "1e309",
  "\u202egnp.exe",
  "\u{1f4e6}".repeat(60),
  "\ufeff",
  "\ufffe\uffff",
  "e\u0301".repeat(20),
  "ß".repeat(64),
  "x".repeat(64),
  "x".repeat(65),
  "x".repeat(10_000),
  "\u{10ffff}".repeat(100),
  "site_83652b_k3v9c0x2mdzzzzzz",
  "site_ffffff_1",
  "res_83652b_0000000000000000",
  "par_0000000000000000",
  "key_test_0000000000000000",
  "00000000-0000-0000-0000-000000000000",
];

/** Coordinates at and beyond every limit. */
export const hostileDoubles: readonly number[] = [
  0,
  -0,
  90,
  -90,
  180,
  -180,
  90.0000001,
  -180.0000001,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.MAX_VALUE,
  Number.MIN_VALUE,
  1e-300,
  89.99999999,
  179.99999999,
];

/** Integers at every limit of 32 bits. */
export const hostileUint32s: readonly number[] = [0, 1, 2, 50, 51, 1000, 1001, 65_535, 65_536, 0x7fffffff, 0x80000000, 0xffffffff];

/** Integers at every limit of 64 bits and of a double's precision. */
export const hostileUint64s: readonly bigint[] = [0n, 1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];

/** Valid and invalid seconds and nanos of timestamps and durations. */
export const hostileTimes: readonly { seconds: bigint; nanos: number }[] = [
  { seconds: 0n, nanos: 0 },
  { seconds: 1n, nanos: -1 },
  { seconds: -1n, nanos: 1 },
  { seconds: 0n, nanos: -999_999_999 },
  { seconds: 1_800_000_000n, nanos: 2_147_483_647 },
  { seconds: 1_800_000_000n, nanos: -2_147_483_648 },
  { seconds: 7_258_118_400n, nanos: 0 },
  { seconds: 253_402_300_799n, nanos: 999_999_999 },
  { seconds: 2n ** 63n - 1n, nanos: 2_147_483_647 },
  { seconds: -(2n ** 63n), nanos: -2_147_483_648 },
];
