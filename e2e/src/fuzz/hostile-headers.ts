import type { Random } from "@petak/testkit";

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const tokenHeader = { alg: "EdDSA", typ: "petak-request+jwt", kid: "key_test_0000000000000000" };
const nowS = Math.floor(Date.now() / 1000);
const claims = { iss: "par_0000000000000000", aud: "petak-test", iat: nowS, exp: nowS + 300 };
const signature = Buffer.alloc(64, 7).toString("base64url");
const token = (header: unknown, payload: unknown, signed = signature): string =>
  `Bearer ${base64url(header)}.${base64url(payload)}.${signed}`;

/** Invalid Authorization headers of all kinds. */
const authorizations: readonly string[] = [
  "",
  "Bearer",
  "Bearer ",
  "bearer x",
  "Basic dXNlcjpwYXNz",
  "Bearer a.b.c",
  "Bearer ..",
  "Bearer ....",
  `Bearer ${"a".repeat(2040)}`,
  `Bearer ${"a".repeat(9000)}`,
  "Bearer pk_test_",
  "Bearer pk_test_000000000000000000000000",
  "Bearer pk_live_000000000000000000000000",
  "Bearer pk_none_0",
  "Bearer pk_test_*",
  token(tokenHeader, claims),
  token({ ...tokenHeader, alg: "none" }, claims, ""),
  token({ ...tokenHeader, alg: "HS256" }, claims),
  token({ ...tokenHeader, alg: ["EdDSA"] }, claims),
  token({ ...tokenHeader, typ: "JWT" }, claims),
  token({ ...tokenHeader, kid: { $ne: null } }, claims),
  token({ ...tokenHeader, kid: "x:keys" }, claims),
  token({ ...tokenHeader, kid: "k".repeat(1200) }, claims),
  token({ ...tokenHeader, crit: ["exp"] }, claims),
  token({ ...tokenHeader, jwk: { kty: "OKP" } }, claims),
  token(tokenHeader, { ...claims, exp: 1e300 }),
  token(tokenHeader, { ...claims, exp: -1 }),
  token(tokenHeader, { ...claims, exp: "soon" }),
  token(tokenHeader, { ...claims, iat: null }),
  token(tokenHeader, { ...claims, nbf: 8.64e12 }),
  token(tokenHeader, { ...claims, exp: nowS + 86_400 }),
  token(tokenHeader, { ...claims, iat: nowS + 7200, exp: nowS + 7500 }),
  token(tokenHeader, { ...claims, aud: [] }),
  token(tokenHeader, { ...claims, aud: ["petak-test"] }),
  token(tokenHeader, []),
  token(null, null),
  token("text", 7),
  token(tokenHeader, claims, ""),
  token(tokenHeader, claims, "!!!"),
  token(tokenHeader, claims, "A".repeat(1000)),
];

const contentTypes: readonly string[] = [
  "",
  "text/plain",
  "application/xml",
  "application/json; charset=latin1",
  "application/json;charset=utf-8;charset=utf-8",
  "APPLICATION/JSON",
  "application/proto",
  "application/json",
  "application/grpc",
  "application/grpc+proto",
  "application/grpc+json",
  "application/grpc+thrift",
  "application/grpc-web",
  "application/grpc-web+proto",
  "application/grpc-web+json",
  "application/grpc-web-text",
  "application/grpcx",
  "application/connect+proto",
  "application/connect+json",
  "application/connect+",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  `application/${"x".repeat(4000)}`,
  "*/*",
  ",,,",
];

/** Invalid deadlines. Valid and short ones come with the calls themselves. */
const timeouts: readonly string[] = [
  "",
  "soon",
  "-1",
  "1e3",
  "0x10",
  "99999999999999",
  "1.5",
  " 5 ",
  "1m1m",
  "5 m",
  "NaN",
  "+5",
  "5n5",
  "000000000005m",
  "1H2M",
];

const encodings: readonly string[] = [
  "br",
  "zstd",
  "deflate",
  "identity",
  "gzip, gzip",
  "GZIP",
  "gzip;q=0",
  "x".repeat(300),
  "",
  "null",
  "*",
];

/** Headers that have a meaning somewhere, with meaningless values. Each may be added to any request. */
const others: readonly (readonly [string, string])[] = [
  ["x-request-id", "a".repeat(65)],
  ["x-request-id", "a b"],
  ["x-request-id", "../../x"],
  ["origin", "null"],
  ["origin", "https://evil.example"],
  ["origin", "not an origin"],
  ["connect-protocol-version", "1"],
  ["connect-protocol-version", "2"],
  ["connect-protocol-version", ""],
  ["accept-encoding", "br;q=1.0, gzip;q=0.5, *;q=0"],
  ["accept-encoding", "gzip"],
  ["connect-accept-encoding", "gzip,br,zstd"],
  ["grpc-accept-encoding", "gzip,,,"],
  ["accept", "application/x-nothing"],
  ["user-agent", "u".repeat(2000)],
  ["cookie", "a=b; ".repeat(300)],
  ["x-forwarded-for", "127.0.0.1, ::1"],
  ["x-grpc-web", "0"],
  ["grpc-message-type", "petak.v1.Nothing"],
  ["bad-bin", "====="],
  ["grpc-status", "0"],
  ["range", "bytes=0-1"],
  ["if-none-match", "*"],
  ["x-http-method-override", "DELETE"],
];

export function hostileAuthorization(random: Random): string {
  return random.pick(authorizations);
}

export function hostileContentType(random: Random): string {
  return random.pick(contentTypes);
}

export function hostileTimeout(random: Random): string {
  return random.pick(timeouts);
}

export function hostileEncoding(random: Random): string {
  return random.pick(encodings);
}

/** One to three of {@link others}. */
export function hostileHeaders(random: Random): (readonly [string, string])[] {
  return Array.from({ length: random.int(1, 3) }, () => random.pick(others));
}
