/** Certificates for the examples in the documentation of `@coppice/x509`, valid until 2099. */
import * as mls from "@coppice/core";

const fromBase64 = (text: string): mls.Bytes => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** An authority that calls itself Example Authority. */
export const authority: mls.Bytes = fromBase64(`
MIIBWjCCAQGgAwIBAgIQV2UhLIJWUieRkuB/ExmITDAKBggqhkjOPQQDAjAcMRowGAYDVQQDExFFeGFtcGxlIEF1dGhvcml0eTAg
Fw0yNjAxMDEwMDAwMDBaGA8yMDk5MTIzMTIzNTk1OVowHDEaMBgGA1UEAxMRRXhhbXBsZSBBdXRob3JpdHkwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAASJnh9Mr71sYIN3OlazspVh+KHghlittI9sbln5u7+5EYDF+fPgcXZRVa2+3DND1BQK1daxUn5roO2RNk6R
RH1AoyMwITAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwICBDAKBggqhkjOPQQDAgNHADBEAiAJu0EFCRzN/ZtwRypQChhB
xrybqfpMlCrOxZlzbNGmKQIgduJuH8Iy1OZ81k8Q4PVaTiA9OGo6wujaOGMNMIrQjKw=
`);

/** Issued by it to im:alice@example.org. */
export const alicesCertificate: mls.Bytes = fromBase64(`
MIIBLzCB1qADAgECAhAWp+jpFOlDF9bSxZqvSwhZMAoGCCqGSM49BAMCMBwxGjAYBgNVBAMTEUV4YW1wbGUgQXV0aG9yaXR5MCAX
DTI2MDEwMTAwMDAwMFoYDzIwOTkxMjMxMjM1OTU5WjAQMQ4wDAYDVQQDEwVhbGljZTAqMAUGAytlcAMhAC1tvwC8xci6WIg5cIgq
QE5W4yHuOVgYgpGXeONwPTXyozMwMTAOBgNVHQ8BAf8EBAMCB4AwHwYDVR0RBBgwFoYUaW06YWxpY2VAZXhhbXBsZS5vcmcwCgYI
KoZIzj0EAwIDSAAwRQIhAO0epZ7Du4+k2Bo8QhX/bfehO6zKD8VQsX7X45snW4ttAiA5mmFf4a2nuzIkJR68SRPQR+2+N0PKKy8k
unUb+UAbEg==
`);

const suite = await mls.getCipherSuite(0x0001);

/** Whose certificate it is; not a secret, as you see. */
export const alicesKey: mls.Signer = await suite.signature.importSigner(
  fromBase64("IxApNt1hTlDGb7nLabm+tXcmfnPmXqHkwEqoTlmYDOg="),
);
