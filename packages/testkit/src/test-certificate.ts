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

/** Another such certificate. */
export const otherTestCertificate = `-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUGi9MQix5jz7t14Xn7pYfjblIWZYwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyODA2NTczN1oYDzIxMjYxMTA0
MDY1NzM3WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARs7nYAaO3lNQCnRloocrqLut14dX20EezzEBEC0naQuycCikprQ5lm
/THbuN87HHQFFMq0Cc8H1M7r0wAxAUmCo28wbTAdBgNVHQ4EFgQUNlh3jBTcDzil
mFhf8ZwQpKmJddUwHwYDVR0jBBgwFoAUNlh3jBTcDzilmFhf8ZwQpKmJddUwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSQAwRgIhAJ1t51fK4OrYJZacUv/Y4H/g/uXyQvOWXG5opMlftxdrAiEA
47HSum//GVDhUfyLaUtt0DAaXD5/cy/O9tNzXDD/hTg=
-----END CERTIFICATE-----
`;

/** The private key of {@link otherTestCertificate}. */
export const otherTestKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgGcjpf+6NtmSis5fi
DudR/Up9mLTQLyGg9d8cyInGvWShRANCAARs7nYAaO3lNQCnRloocrqLut14dX20
EezzEBEC0naQuycCikprQ5lm/THbuN87HHQFFMq0Cc8H1M7r0wAxAUmC
-----END PRIVATE KEY-----
`;
