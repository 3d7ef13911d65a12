import { setTimeout as delay } from "node:timers/promises";
import { type ApiClient, ApiError } from "./api-client.ts";

/**
 * What Autopilot refuses, as an admission policy of the API server itself. Constraints and their names, words
 * and lists are those of refusals that people have published: https://github.com/istio/istio.io/pull/16266,
 * https://github.com/istio/istio/issues/37150, https://github.com/lacework/helm-charts/issues/191,
 * https://github.com/livekit/livekit-helm/issues/147,
 * https://gitlab.com/gitlab-org/charts/gitlab/-/issues/5007. Google's
 * own page has the constraints without the words:
 * https://cloud.google.com/kubernetes-engine/docs/concepts/autopilot-security
 */
export interface AutopilotPolicy {
  /** `--workload-policies=allow-net-admin` */
  readonly allowNetAdmin: boolean;
}

const WARDEN = "warden-validating.common-webhooks.networking.gke.io";
const MANAGED = "managed-namespaces-limitation";
const POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
const BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";

const CAPABILITIES =
  "AUDIT_WRITE,CHOWN,DAC_OVERRIDE,FOWNER,FSETID,KILL,MKNOD,NET_BIND_SERVICE,NET_RAW,SETFCAP,SETGID,SETPCAP,SETUID,SYS_CHROOT,SYS_PTRACE";
const HOST_PATHS = "/var/log/";

const SYSTEM = ["system:apiserver", "system:kube-controller-manager", "sandbox-node"];

/**
 * Brings the policy into force in a cluster that may have another one already; resolves when the API server
 * acts on it.
 */
export async function enforceAutopilot(api: ApiClient, policy: AutopilotPolicy): Promise<void> {
  const spec = podPolicy(policy);
  try {
    await api.create(POLICIES, { metadata: { name: WARDEN }, spec });
    await api.create(BINDINGS, bindingOf(WARDEN));
    await api.create(POLICIES, { metadata: { name: MANAGED }, spec: NAMESPACE_POLICY });
    await api.create(BINDINGS, bindingOf(MANAGED));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== CONFLICT) throw error;
    await api.mergePatch(`${POLICIES}/${WARDEN}`, { spec });
  }
  await untilInForce(api, policy);
}

const CONFLICT = 409;
const POLL_MS = 100;
const IN_FORCE_TIMEOUT_MS = 30_000;

/** The API server learns of a policy some time after it has stored it. */
async function untilInForce(api: ApiClient, { allowNetAdmin }: AutopilotPolicy): Promise<void> {
  const deadline = Date.now() + IN_FORCE_TIMEOUT_MS;
  for (;;) {
    const plain = await isAdmitted(api, {});
    const privileged = await isAdmitted(api, { privileged: true });
    const netAdmin = await isAdmitted(api, { capabilities: { add: ["NET_ADMIN"] } });
    if (plain && !privileged && netAdmin === allowNetAdmin) return;
    if (Date.now() > deadline) throw new Error("the API server does not enforce what Autopilot refuses");
    await delay(POLL_MS);
  }
}

async function isAdmitted(api: ApiClient, securityContext: object): Promise<boolean> {
  try {
    await api.create("/api/v1/namespaces/default/pods?dryRun=All", {
      metadata: { generateName: "autopilot-" },
      spec: { containers: [{ name: "trial", image: "trial", securityContext }] },
    });
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status < 500) return false;
    throw error;
  }
}

function bindingOf(name: string): object {
  return { metadata: { name }, spec: { policyName: name, validationActions: ["Deny"] } };
}

const OPERATIONS = ["CREATE", "UPDATE"];

/** Warden checks pods and the kinds that hold a pod template. */
const WORKLOADS = [
  { apiGroups: [""], apiVersions: ["v1"], resources: ["pods", "podtemplates", "replicationcontrollers"] },
  {
    apiGroups: ["apps"],
    apiVersions: ["v1"],
    resources: ["deployments", "daemonsets", "statefulsets", "replicasets"],
  },
  { apiGroups: ["batch"], apiVersions: ["v1"], resources: ["jobs", "cronjobs"] },
];

/** One kind of fault. `violations` is a CEL list of messages, in Warden's words. */
interface Constraint {
  readonly name: string;
  readonly violations: string;
}

function constraints({ allowNetAdmin }: AutopilotPolicy): readonly Constraint[] {
  const allowed = allowNetAdmin ? CAPABILITIES.replace("MKNOD,", "MKNOD,NET_ADMIN,") : CAPABILITIES;
  const inList = `[${allowed
    .split(",")
    .map((name) => `'${name}'`)
    .join(",")}]`;
  return [
    {
      name: "autogke-default-linux-capabilities",
      violations: `variables.containers
        .filter(c, c.?securityContext.?capabilities.?add.orValue([]).exists(x, !(x in ${inList})))
        .map(c, "linux capability '" + c.securityContext.capabilities.add.filter(x, !(x in ${inList})).join(',') +
          "' on container '" + c.name + "' not allowed; Autopilot only allows the capabilities: '${allowed}'.")`,
    },
    {
      name: "autogke-disallow-hostnamespaces",
      violations: ["hostPID", "hostIPC", "hostNetwork"]
        .map(
          (field) =>
            `(variables.pod.?${field}.orValue(false) ? ['enabling ${field} is not allowed in Autopilot.'] : [])`,
        )
        .join(" + "),
    },
    {
      name: "autogke-disallow-privilege",
      violations: `variables.containers
        .filter(c, c.?securityContext.?privileged.orValue(false))
        .map(c, 'container ' + c.name + ' is privileged; not allowed in Autopilot')`,
    },
    {
      name: "autogke-no-host-port",
      violations: `variables.containers
        .filter(c, c.?ports.orValue([]).exists(p, p.?hostPort.orValue(0) != 0))
        .map(c, 'container ' + c.name + ' specifies host ports [' +
          c.ports.filter(p, p.?hostPort.orValue(0) != 0).map(p, string(p.hostPort)).join(' ') +
          '], which are disallowed in Autopilot.')`,
    },
    {
      name: "autogke-no-write-mode-hostpath",
      violations: `variables.containers.map(c, c.?volumeMounts.orValue([])
        .filter(m, !m.?readOnly.orValue(false) && variables.hostPaths.exists(v, v.name == m.name))
        .map(m, 'hostPath volume ' + m.name + ' in container ' + c.name +
          ' is accessed in write mode; disallowed in Autopilot.')).flatten() +
        variables.hostPaths.filter(v, !(v.hostPath.path + '/').startsWith('${HOST_PATHS}'))
        .map(v, 'hostPath volume ' + v.name + ' uses path ' + v.hostPath.path +
          ' which is not allowed in Autopilot. Allowed path prefixes for hostPath volumes are: [${HOST_PATHS}].')`,
    },
  ];
}

function podPolicy(policy: AutopilotPolicy): object {
  const each = constraints(policy);
  const identifier = (index: number) => `violations${index}`;
  const report = each.map(
    ({ name }, index) =>
      `(variables.${identifier(index)}.size() == 0 ? [] : ['"[denied by ${name}]":["' + variables.${identifier(index)}.join('","') + '"]'])`,
  );
  return {
    failurePolicy: "Fail",
    matchConstraints: {
      resourceRules: WORKLOADS.map((resources) => ({ ...resources, operations: OPERATIONS })),
      namespaceSelector: {
        matchExpressions: [
          { key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-system"] },
        ],
      },
    },
    variables: [
      {
        name: "pod",
        expression: `object.kind == 'Pod' ? object.spec : object.kind == 'PodTemplate' ? object.template.spec :
          object.kind == 'CronJob' ? object.spec.jobTemplate.spec.template.spec : object.spec.template.spec`,
      },
      {
        name: "containers",
        expression: `variables.pod.?initContainers.orValue([]) + variables.pod.?containers.orValue([])`,
      },
      {
        name: "hostPaths",
        expression: "variables.pod.?volumes.orValue([]).filter(v, has(v.hostPath))",
      },
      ...each.map(({ violations }, index) => ({ name: identifier(index), expression: violations })),
      { name: "violations", expression: report.join(" + ") },
    ],
    validations: [
      {
        expression: "variables.violations.size() == 0",
        // A message of two lines, as Warden's is, would be dropped.
        messageExpression:
          `'GKE Warden rejected the request because it violates one or more constraints. Violations details: {' +
          variables.violations.join(',') + "} Requested by user: '" + request.userInfo.username +
          "', groups: '" + request.userInfo.groups.join(',') + "'."`.replaceAll(/\n\s*/g, " "),
      },
    ],
  };
}

/** An authorizer of GKE's refuses these before admission; the words are its own. */
const NAMESPACE_POLICY = {
  failurePolicy: "Fail",
  matchConstraints: {
    resourceRules: [
      {
        apiGroups: ["*"],
        apiVersions: ["*"],
        resources: ["*"],
        operations: ["CREATE", "UPDATE", "DELETE"],
        // A selector of namespaces lets objects of the whole cluster through to the policy.
        scope: "Namespaced",
      },
    ],
    namespaceSelector: {
      matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values: ["kube-system"] }],
    },
  },
  matchConditions: [
    {
      name: "not-of-the-cluster-itself",
      expression: `!(request.userInfo.username in [${SYSTEM.map((name) => `'${name}'`).join(",")}]) &&
        !request.userInfo.username.startsWith('system:serviceaccount:kube-system:')`,
    },
  ],
  validations: [
    {
      expression: "false",
      messageExpression: `"GKE Warden authz [denied by ${MANAGED}]: the namespace \\"kube-system\\" is managed and the request's verb \\"" + request.operation.lowerAscii() + "\\" is denied"`,
      reason: "Forbidden",
    },
  ],
};
