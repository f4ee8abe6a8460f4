/** X.509 credentials for Messaging Layer Security (RFC 9420 §5.3). */
export { x509Authentication } from "./authentication.ts";
export type { GenuineCredential, X509AuthenticationOptions, X509Limits } from "./authentication.ts";
export type { PresentedIdentity, SubjectName } from "./names.ts";
export type { RefusalReason } from "./refusal.ts";
