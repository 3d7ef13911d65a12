import type { Entry } from "./query.ts";

/**
 * As the Data Access log of Secret Manager has it; https://cloud.google.com/secret-manager/docs/audit-logging
 */
export function rootKeyRead(principalEmail: string, meshId: string, timestamp = new Date()): Entry {
  return {
    logName: "projects/shop/logs/cloudaudit.googleapis.com%2Fdata_access",
    resource: { type: "audited_resource" },
    severity: "INFO",
    timestamp: timestamp.toISOString(),
    protoPayload: {
      "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
      serviceName: "secretmanager.googleapis.com",
      methodName: "google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion",
      resourceName: `projects/1234/secrets/${meshId}-root-ca/versions/1`,
      authenticationInfo: { principalEmail },
      requestMetadata: { callerIp: "203.0.113.7" },
    },
  };
}
