<?php

declare(strict_types=1);

/*
 * Verifies the choice that a checkout page sent, on a shop's server. PHP 7.4 or newer with its own extension sodium has all that it needs.
 *
 *     php verify_choice.php CHOICE GATEWAY_URL PARTICIPANT_ID
 */

/** The choice was not made for this participant by the gateway, or it has expired. */
final class InvalidChoice extends RuntimeException
{
}

/**
 * Returns what was chosen.
 *
 * Compare it with the order: the site (`sub`), the sides of the parcel in ascending order (`sides_mm`), its mass (`mass_g`), its `requirements` and the
 * `purpose`.
 *
 * @param array $keys the gateway's /.well-known/petak/issuer-keys.json, read at most five minutes ago
 * @throws InvalidChoice
 */
function verify_choice(string $choice, array $keys, string $participantId): array
{
    $parts = explode('.', $choice);
    if (count($parts) !== 3) {
        throw new InvalidChoice('it is not a choice');
    }
    [$header, $claims] = [read_json($parts[0]), read_json($parts[1])];
    // The same keys sign receipts and what opens doors: the type tells a choice from them.
    if (($header['typ'] ?? null) !== 'petak-choice' || ($header['alg'] ?? null) !== 'EdDSA') {
        throw new InvalidChoice('it is not a choice');
    }
    if (!is_signed($parts, $keys, $header['kid'] ?? null, $claims['iat'] ?? null)) {
        throw new InvalidChoice('no key of this gateway signed it');
    }
    if (($claims['aud'] ?? null) !== $participantId) {
        throw new InvalidChoice('it was signed for somebody else');
    }
    if (!is_int($claims['exp'] ?? null) || $claims['exp'] <= time()) {
        throw new InvalidChoice('it has expired');
    }
    return $claims;
}

/** Whether one of the gateway's keys that were in force at a time, in seconds since 1970, signed it. Several keys may have one id. */
function is_signed(array $parts, array $keys, $kid, $signedAt): bool
{
    $signature = read_base64url($parts[2]);
    foreach ($keys['keys'] ?? [] as $key) {
        $isInForce = is_int($signedAt)
            && (!isset($key['signs_from']) || strtotime($key['signs_from']) <= $signedAt)
            && (!isset($key['signs_until']) || $signedAt < strtotime($key['signs_until']));
        if ($key['kid'] !== $kid || !$isInForce || strlen($signature) !== SODIUM_CRYPTO_SIGN_BYTES) {
            continue;
        }
        if (sodium_crypto_sign_verify_detached($signature, "$parts[0].$parts[1]", read_base64url($key['x']))) {
            return true;
        }
    }
    return false;
}

function read_base64url(string $text): string
{
    $bytes = base64_decode(strtr($text, '-_', '+/'), true);
    if ($bytes === false) {
        throw new InvalidChoice('it is not a choice');
    }
    return $bytes;
}

function read_json(string $text): array
{
    $value = json_decode(read_base64url($text), true);
    if (!is_array($value)) {
        throw new InvalidChoice('it is not a choice');
    }
    return $value;
}

/** Only where this file is run, and not where another one includes it. */
if (PHP_SAPI === 'cli' && realpath($argv[0]) === __FILE__) {
    if ($argc !== 4) {
        fwrite(STDERR, "usage: php verify_choice.php CHOICE GATEWAY_URL PARTICIPANT_ID\n");
        exit(2);
    }
    [, $choice, $gatewayUrl, $participantId] = $argv;
    $context = stream_context_create(['http' => ['timeout' => 10]]);
    $answer = file_get_contents("$gatewayUrl/.well-known/petak/issuer-keys.json", false, $context);
    try {
        $claims = verify_choice($choice, (array) json_decode((string) $answer, true), $participantId);
        echo json_encode($claims, JSON_UNESCAPED_SLASHES), "\n";
    } catch (InvalidChoice $error) {
        fwrite(STDERR, "refused: {$error->getMessage()}\n");
        exit(1);
    }
}
