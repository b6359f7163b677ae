/** A self-signed certificate for localhost and 127.0.0.1, valid for a hundred years, for tests only. */
export const testCertificate = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUTPnOUITBUjNkWGKY2UoxdEslGr4wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDE0NTM0MloYDzIxMjYxMDMx
MTQ1MzQyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASTabmgLa/bTI5Qj4teqb64iudb1d9JLNioK9UIUoAr7obJgvPQT3Hc
7ONyQ4yEC+SDlLhP0ddmykU4ekxI4IxIo28wbTAdBgNVHQ4EFgQUDPfXdMfe2150
1MWldO5UZYbzoR0wHwYDVR0jBBgwFoAUDPfXdMfe21501MWldO5UZYbzoR0wDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIhAI00cNTbfjwHdY7xMeucwgSd8MkBujfkYmZb8t2ql6jNAiA5
ZoeyfNaUM915ugphUggtuotWZF6HtEyuKUuzK7u6xw==
-----END CERTIFICATE-----
`;

/** The private key of {@link testCertificate}. */
export const testKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgn0KMc+5IwMgcyTpC
w42hCybGtx9a6pkOlPXkYRQshzmhRANCAASTabmgLa/bTI5Qj4teqb64iudb1d9J
LNioK9UIUoAr7obJgvPQT3Hc7ONyQ4yEC+SDlLhP0ddmykU4ekxI4IxI
-----END PRIVATE KEY-----
`;
