import { createHash, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIP, SocketAddress } from "node:net";

/** What is certified, and by whom. Times in ms since 1970. */
export interface CertificateFacts {
  readonly subject: string;
  readonly subjectKey: KeyObject;
  readonly issuer: string;
  readonly issuerKey: KeyObject;
  /** The private half of {@link issuerKey}. */
  readonly signingKey: KeyObject;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly extensions: readonly Uint8Array[];
}

/** An X.509 certificate over P-256 in PEM. */
export function certificatePem(facts: CertificateFacts): string {
  const { subject, subjectKey, issuer, issuerKey, signingKey, notBeforeMs, notAfterMs, extensions } = facts;
  const algorithm = sequence(oid("1.2.840.10045.4.3.2"));
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const keyIds = [
    extension("2.5.29.14", false, tagged(0x04, keyId(subjectKey))),
    extension("2.5.29.35", false, sequence(tagged(0x80, keyId(issuerKey)))),
  ];
  const content = sequence(
    tagged(0xa0, integer(Uint8Array.of(2))),
    integer(serial),
    algorithm,
    name(issuer),
    sequence(time(notBeforeMs), time(notAfterMs)),
    name(subject),
    spki(subjectKey),
    tagged(0xa3, sequence(...keyIds, ...extensions)),
  );
  const signature = sign("sha256", content, signingKey);
  const text = Buffer.from(sequence(content, algorithm, tagged(0x03, Uint8Array.of(0), signature))).toString("base64");
  return `-----BEGIN CERTIFICATE-----\n${text.replace(/.{64}(?=.)/g, "$&\n")}\n-----END CERTIFICATE-----\n`;
}

/** Extensions of an authority that may certify servers of these names and address ranges only. */
export function authorityExtensions(names: readonly string[], ranges: readonly string[]): Uint8Array[] {
  const permitted = [...names.map(dnsName), ...ranges.map(rangeName)].map((one) => sequence(one));
  return [
    extension("2.5.29.19", true, sequence(boolean(true), integer(Uint8Array.of(0)))),
    // keyCertSign
    extension("2.5.29.15", true, tagged(0x03, Uint8Array.of(2, 0x04))),
    extension("2.5.29.30", true, sequence(tagged(0xa0, ...permitted))),
  ];
}

/** Extensions of a server's certificate. @param hosts names and addresses */
export function serverExtensions(hosts: readonly string[]): Uint8Array[] {
  return [
    extension("2.5.29.19", true, sequence()),
    // digitalSignature
    extension("2.5.29.15", true, tagged(0x03, Uint8Array.of(7, 0x80))),
    extension("2.5.29.37", false, sequence(oid("1.3.6.1.5.5.7.3.1"))),
    extension("2.5.29.17", false, sequence(...hosts.map((host) => (isIP(host) === 0 ? dnsName(host) : tagged(0x87, addressBytes(host)))))),
  ];
}

function dnsName(text: string): Uint8Array {
  return tagged(0x82, Buffer.from(text, "ascii"));
}

/** @param range an address and the length of its prefix, e.g. `10.0.0.0/8` */
function rangeName(range: string): Uint8Array {
  const [address = "", length = ""] = range.split("/");
  const bytes = addressBytes(address);
  const mask = bytes.map((_, index) => (0xff00 >> Math.min(8, Math.max(0, Number(length) - 8 * index))) & 0xff);
  return tagged(0x87, bytes, mask);
}

function addressBytes(address: string): Uint8Array {
  if (isIP(address) === 4) return Uint8Array.from(address.split(".").map(Number));
  // In full: the platform writes addresses in their short form only.
  const [head = "", tail] = new SocketAddress({ address, family: "ipv6" }).address.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16)));
  const [before, after] = [groups(head), groups(tail ?? "")];
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

function spki(key: KeyObject): Uint8Array {
  return key.export({ type: "spki", format: "der" });
}

function keyId(key: KeyObject): Uint8Array {
  return createHash("sha256").update(spki(key)).digest().subarray(0, 20);
}

function extension(id: string, isCritical: boolean, value: Uint8Array): Uint8Array {
  return sequence(oid(id), ...(isCritical ? [boolean(true)] : []), tagged(0x04, value));
}

function name(text: string): Uint8Array {
  return sequence(tagged(0x31, sequence(oid("2.5.4.3"), tagged(0x0c, Buffer.from(text)))));
}

function time(ms: number): Uint8Array {
  const digits = new Date(ms).toISOString().replace(/\.\d+Z$|[-:T]/g, "");
  // Two digits of the year until 2049, four from then on.
  return digits < "2050" ? tagged(0x17, Buffer.from(`${digits.slice(2)}Z`)) : tagged(0x18, Buffer.from(`${digits}Z`));
}

function oid(text: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  return tagged(0x06, Uint8Array.from([40 * first + second, ...rest].flatMap(base128)));
}

function base128(value: number): number[] {
  const low = value & 0x7f;
  return value < 0x80 ? [low] : [...base128(Math.floor(value / 128)).map((byte) => byte | 0x80), low];
}

function boolean(value: boolean): Uint8Array {
  return tagged(0x01, Uint8Array.of(value ? 0xff : 0));
}

function integer(bytes: Uint8Array): Uint8Array {
  return tagged(0x02, bytes);
}

function sequence(...parts: Uint8Array[]): Uint8Array {
  return tagged(0x30, ...parts);
}

/** A value of DER. */
function tagged(tag: number, ...parts: Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.from([tag, ...size]), content]);
}
