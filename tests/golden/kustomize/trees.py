# trees.py: the parts that kustomize test trees are made of: objects, and one function per field of a kustomization.
"""A tree is a dict of path -> text. A feature takes a tree, a directory and a random generator, puts files into the
tree and returns the fields it adds to the directory's kustomization. Everything here is of our own making."""

import json

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      serviceAccountName: runner
      initContainers:
      - {name: init, image: "busybox:1.36"}
      containers:
      - name: web
        image: registry.example.com:5000/shop/web:1.2.0
        args: ["--config", "$(CONFIG_NAME)", "-v"]
        env:
        - name: MODE
          value: "on"
        - name: SETTINGS
          valueFrom: {configMapKeyRef: {name: settings, key: mode}}
        envFrom:
        - secretRef: {name: keys}
        ports:
        - {containerPort: 8080, name: http}
        - {containerPort: 9090, name: metrics, protocol: TCP}
      - name: side
        image: nginx@sha256:2bcabc23b45489fb0885d69a06ba1d648aeda973fae7bb981bafbb884165e514
      volumes:
      - name: conf
        configMap: {name: settings}
"""
SERVICE = """apiVersion: v1
kind: Service
metadata:
  name: web
  annotations:
    note: "yes"
    folded: >-
      one
      two
spec:
  selector: {app: web}
  ports:
  - port: 80
    targetPort: http
"""
CONFIG = """apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  mode: fast
  level: "3"
  script: |
    #!/bin/sh
    echo hello
"""
SECRET = """apiVersion: v1
kind: Secret
metadata: {name: keys}
type: Opaque
stringData: {token: abc}
"""
ACCOUNT = """apiVersion: v1
kind: ServiceAccount
metadata: {name: runner}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules:
- {apiGroups: [""], resources: [configmaps], resourceNames: [settings], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects:
- {kind: ServiceAccount, name: runner}
- {kind: ServiceAccount, name: default}
- {kind: User, name: jane}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: watchers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects:
- {kind: ServiceAccount, name: runner, namespace: default}
"""
INGRESS = """apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
spec:
  rules:
  - host: shop.example.com
    http:
      paths:
      - path: /
        pathType: Prefix
        backend: {service: {name: web, port: {number: 80}}}
  tls:
  - {hosts: [shop.example.com], secretName: keys}
"""
SCALER = """apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 1
  maxReplicas: 5
"""
STATEFUL = """apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec:
  serviceName: store
  replicas: 1
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec:
      containers:
      - {name: db, image: "postgres:16"}
      volumes:
      - {name: own, persistentVolumeClaim: {claimName: scratch}}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Service
metadata: {name: store}
spec: {clusterIP: None, selector: {app: store}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: scratch}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
JOBS = """apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        metadata: {labels: {job: nightly}}
        spec:
          restartPolicy: Never
          containers:
          - {name: run, image: "busybox:1.36", command: [sh, -c, "echo $(CONFIG_NAME)"]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - {name: run, image: busybox}
"""
CLUSTER = """apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: bees.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Bee, plural: bees}
  versions: []
---
apiVersion: example.com/v1
kind: Bee
metadata: {name: maya}
spec:
  replicas: 1
  image: hive:1
  settingsRef: {name: settings}
  flowers:
  - {name: rose, count: 1}
  - {name: tulip, count: 2}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: guard}
webhooks:
- name: guard.example.com
  clientConfig: {service: {name: web, namespace: default, path: /check}}
"""
NETWORK = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress:
  - from:
    - podSelector: {matchLabels: {app: front}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec:
  minAvailable: 1
  selector: {matchLabels: {app: web}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      hostNetwork: true
      containers:
      - {name: agent, image: "fluent/fluent-bit:2.2"}
"""
SCALARS = """apiVersion: v1
kind: ConfigMap
metadata:
  name: scalars
  labels: {a: "1", b: "true", c: 'null'}
data:
  date: "2024-01-01"
  empty: ""
  number: "1e3"
  octal: "0755"
  long: "this line is longer than eighty characters so that the writer has to think about folding it or not"
  colon: "a: b"
  quote: 'it''s'
  unicode: "käse \\u00e9 \\U0001F600"
  multi: "a\\n  b\\n\\nc\\n"
---
apiVersion: example.com/v1
kind: Values
metadata: {name: values}
spec:
  day: 2024-01-01
  time: 2001-12-14t21:59:43.10-05:00
  yes: yes
  bare: on
  hex: 0x1F
  oct: 0o17
  old: 017
  float: 1.50
  exp: 1e3
  big: 123456789012345678901234567890
  inf: .inf2
  nothing: ~
  none:
  list: []
  map: {}
  text: |+
    keep

  strip: >-
    folded
    text
      indented
    end
"""
ADMISSION = """apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: inject}
webhooks:
- name: one.example.com
  clientConfig: {service: {name: web, namespace: default, path: /one}}
- name: two.example.com
  clientConfig: {service: {name: web, namespace: elsewhere}}
- name: three.example.com
  clientConfig: {url: "https://example.com"}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.metrics.example.com}
spec: {group: metrics.example.com, version: v1, service: {name: web, namespace: default}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: sees}
rules:
- {apiGroups: [""], resources: [secrets], resourceNames: [keys, other], verbs: [get]}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: sees, namespace: elsewhere}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: sees}
subjects:
- {kind: ServiceAccount, name: runner, namespace: elsewhere}
- {kind: ServiceAccount, name: default, namespace: elsewhere}
- {kind: Group, name: all}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: disk}
spec: {claimRef: {name: scratch, namespace: default}, storageClassName: fast}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast}
provisioner: example.com/disk
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: high}
value: 1000
"""
STRUCTURED = """apiVersion: v1
kind: ConfigMap
metadata:
  name: structured
  namespace: default
  annotations: {app.example.com/level: info, plain: one-two-three}
data:
  config.json: '{"server": {"host": "old", "ports": [80, 443]}, "names": ["a", "b"]}'
  pretty.json: |
    {
      "host": "old",
      "deep": {"list": [{"name": "x", "value": 1}]}
    }
  config.yaml: |
    # kept or not
    server:
      host: old
      ports: [80, 443]
  hosts: a.example.com,b.example.com
"""

FILES = {
    "deployment.yaml": DEPLOYMENT, "service.yaml": SERVICE, "config.yaml": CONFIG, "secret.yaml": SECRET,
    "rbac.yaml": ACCOUNT, "ingress.yaml": INGRESS, "scaler.yaml": SCALER, "stateful.yaml": STATEFUL,
    "jobs.yaml": JOBS, "cluster.yaml": CLUSTER, "network.yaml": NETWORK, "scalars.yaml": SCALARS,
    "admission.yaml": ADMISSION, "structured.yaml": STRUCTURED,
}


def dump(value, indent=0):
    """Block YAML of a JSON value, so that trees read like hand-written ones."""
    pad = "  " * indent
    if isinstance(value, dict) and value:
        out = ""
        for key, inner in value.items():
            if isinstance(inner, (dict, list)) and inner:
                out += f"{pad}{key}:\n{dump(inner, indent if isinstance(inner, list) else indent + 1)}"
            elif isinstance(inner, str) and "\n" in inner:
                lines = inner.rstrip("\n").split("\n")
                keep = "" if inner.endswith("\n") else "-"
                out += f"{pad}{key}: |{keep}\n" + "".join(f"{pad}  {line}\n" if line else "\n" for line in lines)
            else:
                out += f"{pad}{key}: {scalar(inner)}\n"
        return out
    if isinstance(value, list) and value:
        out = ""
        for inner in value:
            if isinstance(inner, (dict, list)) and inner:
                text = dump(inner, indent + 1)
                out += f"{pad}- {text[len(pad) + 2:]}"
            elif isinstance(inner, str) and "\n" in inner:
                out += f"{pad}- |-\n" + "".join(f"{pad}  {line}\n" for line in inner.rstrip("\n").split("\n"))
            else:
                out += f"{pad}- {scalar(inner)}\n"
        return out
    return f"{pad}{scalar(value)}\n"


def scalar(value):
    if isinstance(value, str) and value and value.replace("-", "").replace("_", "").replace("/", "").replace(".", "").isalnum() \
            and not value[0].isdigit() and value[0] not in "-._/" and value.lower() not in (
                "true", "false", "yes", "no", "on", "off", "null", "y", "n"):
        return value
    return json.dumps(value)


def merge(*parts):
    """Fields of several features in one kustomization; lists are joined."""
    out = {}
    for part in parts:
        for key, value in part.items():
            if isinstance(value, list) and isinstance(out.get(key), list):
                out[key] = out[key] + value
            elif isinstance(value, dict) and isinstance(out.get(key), dict):
                out[key] = {**out[key], **value}
            else:
                out[key] = value
    return out


def write(tree, directory, fields, component=False):
    head = {"apiVersion": "kustomize.config.k8s.io/" + ("v1alpha1" if component else "v1beta1"),
            "kind": "Component" if component else "Kustomization"}
    tree[f"{directory}/kustomization.yaml"] = dump({**head, **fields})


# ---- features: name -> list of variants; a variant is function(tree, directory) -> fields
FEATURES = {}


def feature(name):
    def add(function):
        FEATURES.setdefault(name, []).append(function)
        return function
    return add


def plain(name, *variants):
    for fields in variants:
        FEATURES.setdefault(name, []).append(lambda tree, directory, fields=fields: fields)


def with_file(name, path, text, fields):
    def add(tree, directory):
        tree[f"{directory}/{path}"] = text
        return fields
    FEATURES.setdefault(name, []).append(add)


plain("namespace", {"namespace": "shop"}, {"namespace": "default"})
plain("prefix", {"namePrefix": "dev-"}, {"namePrefix": "a.b-"})
plain("suffix", {"nameSuffix": "-v2"}, {"namePrefix": "p-", "nameSuffix": "-s"})
plain("commonLabels", {"commonLabels": {"team": "bees", "tier": "1"}})
plain("labels",
      {"labels": [{"pairs": {"team": "bees"}}]},
      {"labels": [{"pairs": {"team": "bees"}, "includeSelectors": True}]},
      {"labels": [{"pairs": {"team": "bees"}, "includeTemplates": True}]},
      {"labels": [{"pairs": {"team": "x"}, "fields": [{"path": "spec/extra", "create": True, "kind": "Bee"}]},
                  {"pairs": {"app": "new"}, "includeSelectors": False}]})
plain("annotations", {"commonAnnotations": {"owner": "bees", "number": "12"}})
plain("images",
      {"images": [{"name": "busybox", "newTag": "1.37"}]},
      {"images": [{"name": "registry.example.com:5000/shop/web", "newName": "mirror/web", "newTag": "2"}]},
      {"images": [{"name": "nginx", "newTag": "1.25", "digest": "sha256:aaaa"}]},
      {"images": [{"name": "nginx", "digest": "sha256:bbbb"}, {"name": "busybox", "tagSuffix": "-alpine"}]},
      {"images": [{"name": "b.*x", "newName": "any"}, {"name": "postgres", "newName": "pg"}]})
plain("replicas",
      {"replicas": [{"name": "web", "count": 7}]},
      {"replicas": [{"name": "web", "count": 0}]})
plain("configMapGenerator",
      {"configMapGenerator": [{"name": "made", "literals": ["a=1", "b=two words", "c='quoted'"]}]},
      {"configMapGenerator": [{"name": "settings", "behavior": "merge", "literals": ["mode=slow", "new=1"]}]},
      {"configMapGenerator": [{"name": "settings", "behavior": "replace", "literals": ["only=this"]}]},
      {"configMapGenerator": [{"name": "made", "literals": ["a=1"], "options": {
          "disableNameSuffixHash": True, "immutable": True, "labels": {"x": "y"}, "annotations": {"number": "1"}}}]},
      {"configMapGenerator": [{"name": "made", "namespace": "other", "literals": ["a="]}],
       "generatorOptions": {"labels": {"made": "yes"}, "annotations": {"by": "us"}}})
with_file("configMapGenerator", "app.properties", "color=red\n# no comment\nsize = 3\n",
          {"configMapGenerator": [{"name": "made", "files": ["app.properties", "renamed.txt=app.properties"]}]})
with_file("configMapGenerator", "vars.env", "\ufeffA=1\n\n  # comment\nB=two=2\nC\n  D=4  \n",
          {"configMapGenerator": [{"name": "made", "envs": ["vars.env"]}]})
plain("secretGenerator",
      {"secretGenerator": [{"name": "made", "literals": ["password=s3cret", "user=admin"]}]},
      {"secretGenerator": [{"name": "made", "type": "kubernetes.io/basic-auth", "literals": ["username=u"],
                            "options": {"disableNameSuffixHash": True}}]},
      {"secretGenerator": [{"name": "keys", "behavior": "merge", "literals": ["more=1"]}]})
with_file("secretGenerator", "long.txt", "0123456789" * 12 + "\n",
          {"secretGenerator": [{"name": "made", "files": ["long.txt"]}]})
plain("generatorOptions", {"generatorOptions": {"disableNameSuffixHash": True},
                           "configMapGenerator": [{"name": "made", "literals": ["a=1"]}]})
PATCH = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - name: web
        env:
        - {name: MODE, value: "off"}
        - {name: EXTRA, value: "1"}
        resources: {limits: {memory: 64Mi}}
      - name: added
        image: added:1
"""
with_file("patchesSM", "patch.yaml", PATCH, {"patches": [{"path": "patch.yaml"}]})
with_file("patchesSM", "patch.yaml", PATCH, {"patchesStrategicMerge": ["patch.yaml"]})
plain("patchesSM",
      {"patches": [{"patch": PATCH}]},
      {"patchesStrategicMerge": [PATCH]},
      {"patches": [{"patch": "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n$patch: delete\n"}]},
      {"patches": [{"patch": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n"
                             "      containers:\n      - {name: side, $patch: delete}\n      volumes: null\n"}]},
      {"patches": [{"patch": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n"
                             "      $patch: replace\n      containers:\n      - {name: only, image: one}\n"}]},
      {"patches": [{"patch": "apiVersion: example.com/v1\nkind: Bee\nmetadata: {name: maya}\nspec:\n  flowers:\n"
                             "  - {name: daisy}\n  replicas: null\n"}]},
      {"patches": [{"patch": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, annotations: {x: 1}}\ndata: {mode: null, add: \"2\"}\n"}]})
plain("patchTargets",
      {"patches": [{"target": {"kind": "Deployment"}, "patch": "apiVersion: x\nkind: y\nmetadata: {name: any}\nspec: {paused: true}\n"}]},
      {"patches": [{"target": {"name": "w.*", "kind": "Deployment|Service"},
                    "patch": "- {op: add, path: /metadata/annotations/added, value: \"1\"}\n"}]},
      {"patches": [{"target": {"labelSelector": "app=web"}, "patch": "- op: add\n  path: /metadata/labels/seen\n  value: yes-it-is\n"}]},
      {"patches": [{"target": {"labelSelector": "app in (web,store),!gone"}, "patch": "- {op: remove, path: /metadata/labels/app}\n"}]},
      {"patches": [{"target": {"annotationSelector": "note=yes"}, "patch": "- {op: replace, path: /spec/ports/0/port, value: 81}\n"}]},
      {"patches": [{"target": {"group": "apps", "version": "v1"}, "patch": "- {op: test, path: /kind, value: Deployment}\n- {op: add, path: /spec/minReadySeconds, value: 3}\n"}]},
      {"patches": [{"target": {"kind": "Deployment", "name": "web"}, "options": {"allowNameChange": True},
                    "patch": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: renamed}\n"}]},
      {"patches": [{"target": {"kind": "Deployment", "name": "web"}, "options": {"allowKindChange": True, "allowNameChange": True},
                    "patch": "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: other}\n"}]})
plain("patchesJson6902",
      {"patchesJson6902": [{"target": {"group": "apps", "version": "v1", "kind": "Deployment", "name": "web"},
                            "patch": "- {op: replace, path: /spec/replicas, value: 5}\n- op: add\n  path: /spec/template/spec/containers/-\n  value: {name: more, image: more}\n"}]},
      {"patchesJson6902": [{"target": {"version": "v1", "kind": "ConfigMap", "name": "settings"},
                            "patch": '[{"op": "move", "from": "/data/mode", "path": "/data/moved"}, {"op": "copy", "from": "/data/level", "path": "/data/a~1b"}]'}]})
with_file("patchesJson6902", "ops.json", '[\n {"op": "add", "path": "/metadata/labels", "value": {"x": "1"}}\n]\n',
          {"patchesJson6902": [{"target": {"version": "v1", "kind": "Service", "name": "web"}, "path": "ops.json"}]})
plain("replacements",
      {"replacements": [{"source": {"kind": "ConfigMap", "name": "settings", "fieldPath": "data.level"},
                         "targets": [{"select": {"kind": "Deployment"}, "fieldPaths": ["spec.replicas"]}]}]},
      {"replacements": [{"source": {"kind": "Service", "name": "web"},
                         "targets": [{"select": {"kind": "Deployment", "name": "web"},
                                      "fieldPaths": ["spec.template.spec.containers.[name=web].env.[name=MODE].value"]}]}]},
      {"replacements": [{"source": {"kind": "ConfigMap", "name": "settings", "fieldPath": "data.mode"},
                         "targets": [{"select": {"kind": "Ingress"}, "fieldPaths": ["spec.rules.*.host"],
                                      "options": {"delimiter": ".", "index": 0}},
                                     {"select": {"kind": "Deployment"}, "fieldPaths": ["metadata.annotations.from"],
                                      "options": {"create": True}}]}]},
      {"replacements": [{"source": {"kind": "Deployment", "fieldPath": "spec.template.spec.containers.[name=web].image",
                                    "options": {"delimiter": ":", "index": 0}},
                         "targets": [{"select": {"kind": "Deployment"}, "reject": [{"name": "none"}],
                                      "fieldPaths": ["spec.template.spec.initContainers.0.image"]}]}]})
with_file("replacements", "rep.yaml", "source:\n  kind: ServiceAccount\n  name: runner\ntargets:\n- select: {kind: RoleBinding}\n"
          "  fieldPaths: [subjects.1.name]\n", {"replacements": [{"path": "rep.yaml"}]})
plain("vars",
      {"vars": [{"name": "CONFIG_NAME", "objref": {"apiVersion": "v1", "kind": "ConfigMap", "name": "settings"}}]},
      {"vars": [{"name": "CONFIG_NAME", "objref": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                 "fieldref": {"fieldPath": "spec.replicas"}}]})
plain("buildMetadata",
      {"buildMetadata": ["originAnnotations"]},
      {"buildMetadata": ["transformerAnnotations", "originAnnotations"], "namePrefix": "x-"},
      {"buildMetadata": ["managedByLabel"]})
plain("sortOptions",
      {"sortOptions": {"order": "fifo"}},
      {"sortOptions": {"order": "legacy"}},
      {"sortOptions": {"order": "legacy", "legacySortOptions": {"orderFirst": ["Service", "Deployment"], "orderLast": ["ConfigMap"]}}})
with_file("configurations", "conf.yaml", "nameReference:\n- kind: ConfigMap\n  version: v1\n  fieldSpecs:\n  - {path: spec/settingsRef/name, kind: Bee}\n"
          "images:\n- {path: spec/image, kind: Bee}\n",
          {"configurations": ["conf.yaml"], "images": [{"name": "hive", "newTag": "2"}],
           "configMapGenerator": [{"name": "settings", "behavior": "merge", "literals": ["a=1"]}]})
with_file("configurations", "conf.yaml", "commonLabels:\n- {path: spec/labels, create: true, kind: Bee}\nnamePrefix:\n- {path: metadata/name, kind: Bee}\n"
          "commonAnnotations:\n- {path: spec/notes, create: true, kind: Bee}\n",
          {"configurations": ["conf.yaml"], "commonLabels": {"l": "1"}, "commonAnnotations": {"number": "2"}, "namePrefix": "c-"})
PLUGINS = {
    "AnnotationsTransformer": "annotations: {from: plugin}\nfieldSpecs:\n- {path: metadata/annotations, create: true}\n",
    "LabelTransformer": "labels: {from: plugin, n: 1}\nfieldSpecs:\n- {path: metadata/labels, create: true}\n- {path: spec/selector/matchLabels, kind: Deployment}\n",
    "PrefixTransformer": "prefix: pl-\nfieldSpecs:\n- {path: metadata/name}\n",
    "SuffixTransformer": "suffix: -pl\nfieldSpecs:\n- {path: metadata/name, kind: Deployment}\n",
    "NamespaceTransformer": "unsetOnly: true\nsetRoleBindingSubjects: allServiceAccounts\nfieldSpecs:\n- {path: metadata/namespace, create: true}\n",
    "ImageTagTransformer": "imageTag: {name: nginx, newTag: plugin}\nfieldSpecs:\n- {path: spec/template/spec/containers/image}\n",
    "ReplicaCountTransformer": "replica: {name: web, count: 9}\nfieldSpecs:\n- {path: spec/replicas, create: true, kind: Deployment}\n",
    "PatchTransformer": "target: {kind: Service}\npatch: '[{\"op\": \"add\", \"path\": \"/spec/type\", \"value\": \"NodePort\"}]'\n",
    "PatchJson6902Transformer": "target: {version: v1, kind: Service, name: web}\njsonOp: '[{\"op\": \"add\", \"path\": \"/spec/type\", \"value\": \"LoadBalancer\"}]'\n",
    "PatchStrategicMergeTransformer": "patches: |-\n  apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: settings}\n  data: {p: plugin}\n",
    "ReplacementTransformer": "replacements:\n- source: {kind: ConfigMap, name: settings, fieldPath: data.mode}\n  targets:\n  - select: {kind: Service}\n    fieldPaths: [metadata.annotations.note]\n",
    "ValueAddTransformer": "value: east\ntargets:\n- fieldPath: metadata/annotations/region\n  selector: {kind: Service}\n- {fieldPath: spec/path, selector: {kind: Bee}, filePathPosition: 1}\n",
    "HashTransformer": "",
}
for kind, body in PLUGINS.items():
    text = f"apiVersion: builtin\nkind: {kind}\nmetadata: {{name: plugin, namespace: plug}}\n{body}"
    with_file("transformers", "plugin.yaml", text, {"transformers": ["plugin.yaml"]})
    plain("transformersInline", {"transformers": [text]})
for kind, body in {"ConfigMapGenerator": "literals: [a=1, b=2]\n", "SecretGenerator": "name: named\nliterals: [a=1]\noptions: {disableNameSuffixHash: true}\n",
                   "IAMPolicyGenerator": "cloud: gke\nkubernetesService: {namespace: n, name: k}\nserviceAccount: {name: g, projectId: p}\n"}.items():
    text = f"apiVersion: builtin\nkind: {kind}\nmetadata: {{name: generated}}\n{body}"
    with_file("generators", "gen.yaml", text, {"generators": ["gen.yaml"]})
    plain("generatorsInline", {"generators": [text]})
with_file("validators", "val.yaml", "apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: v}\nlabels: {}\n", {"validators": ["val.yaml"]})


@feature("components")
def add_component(tree, directory):
    write(tree, f"{directory}/part", {"namePrefix": "part-", "configMapGenerator": [{"name": "part", "literals": ["x=1"]}],
                                      "patches": [{"patch": PATCH}]}, component=True)
    return {"components": ["part"]}


@feature("components")
def add_nested_component(tree, directory):
    write(tree, f"{directory}/outer", {"components": ["../inner"], "labels": [{"pairs": {"outer": "1"}}]}, component=True)
    write(tree, f"{directory}/inner", {"resources": ["extra.yaml"], "commonAnnotations": {"inner": "1"}}, component=True)
    tree[f"{directory}/inner/extra.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {a: b}\n"
    return {"components": ["outer"]}


@feature("crds")
def add_crds(tree, directory):
    tree[f"{directory}/crd.json"] = json.dumps({"example.com/v1.Bee": {"Schema": {"properties": {
        "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
        "spec": {"$ref": "example.com/v1.BeeSpec"}}}}, "example.com/v1.BeeSpec": {"Schema": {"properties": {
            "settingsRef": {"x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": "ConfigMap",
                            "x-kubernetes-object-ref-name-key": "name", "type": "object"}}}}})
    return {"crds": ["crd.json"], "namePrefix": "crd-"}


@feature("openapi")
def add_openapi(tree, directory):
    tree[f"{directory}/schema.json"] = json.dumps({"definitions": {"v1.Bee": {
        "properties": {"spec": {"properties": {"flowers": {"type": "array", "items": {"type": "object"},
                       "x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge"}}}},
        "x-kubernetes-group-version-kind": [{"group": "example.com", "kind": "Bee", "version": "v1"}]}}})
    return {"openapi": {"path": "schema.json"}, "patches": [{"patch":
            "apiVersion: example.com/v1\nkind: Bee\nmetadata: {name: maya}\nspec:\n  flowers:\n  - {name: rose, count: 9}\n  - {name: new}\n"}]}


plain("openapi", {"openapi": {"version": "v1.21.2"}})


# ---- rarer forms of the same fields
with_file("structured", "structured.yaml", STRUCTURED, {"resources": ["structured.yaml"], "replacements": [
    {"source": {"kind": "ConfigMap", "name": "structured", "fieldPath": "data.hosts", "options": {"delimiter": ",", "index": 1}},
     "targets": [{"select": {"kind": "ConfigMap", "name": "structured"},
                  "fieldPaths": ["data.config\\.json.server.host", "data.pretty\\.json.host", "data.config\\.yaml.server.host"]}]}]})
with_file("structured", "structured.yaml", STRUCTURED, {"resources": ["structured.yaml"], "replacements": [
    {"source": {"kind": "ConfigMap", "name": "structured", "fieldPath": "metadata.annotations.[app.example.com/level]"},
     "targets": [{"select": {"name": "struct.*"}, "fieldPaths": ["data.pretty\\.json.deep.list.[name=x].value", "metadata.annotations.plain"],
                  "options": {"delimiter": "-", "index": 1}}]}]})
with_file("structured", "structured.yaml", STRUCTURED, {"resources": ["structured.yaml"], "patches": [{"patch":
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: structured, namespace: default}\ndata: {hosts: null, config.json: \"{}\"}\n"}]})
with_file("admission", "admission.yaml", ADMISSION, {"resources": ["admission.yaml"], "namespace": "moved", "namePrefix": "m-"})
with_file("admission", "admission.yaml", ADMISSION, {"resources": ["admission.yaml"], "nameSuffix": "-n", "labels": [
    {"pairs": {"x": "y"}, "includeSelectors": True, "includeTemplates": True}]})
plain("replacements",
      {"replacements": [{"source": {"kind": "ConfigMap", "name": "settings", "fieldPath": "data.level"},
                         "targets": [{"select": {"name": ".*e.*"}, "reject": [{"kind": "Deployment"}, {"namespace": "shop", "name": "web"}],
                                      "fieldPaths": ["metadata.annotations.level", "metadata.labels.app"], "options": {"create": True}}]}]},
      {"replacements": [{"source": {"version": "v1", "kind": "Service", "name": "web", "fieldPath": "spec.ports.0.port"},
                         "targets": [{"select": {"group": "apps"}, "fieldPaths": ["spec.template.spec.containers.*.ports.*.containerPort"]},
                                     {"select": {"kind": "Deployment"}, "options": {"create": True}, "fieldPaths": [
                                         "spec.template.spec.containers.[name=web].env.[name=PORT].value", "spec.template.spec.containers.0.ports.[name=new].hostPort"]}]}]},
      {"replacements": [{"sourceValue": "fixed", "targets": [{"select": {"kind": "Deployment|Service"}, "fieldPaths": ["metadata.labels.app"], "options": {"create": True}}]}]},
      {"replacements": [{"source": {"kind": "Deployment", "name": "web", "fieldPath": "spec.template.spec.containers.[name=side].image",
                                    "options": {"delimiter": "@", "index": 1}},
                         "targets": [{"select": {"kind": "Deployment"}, "fieldPaths": ["spec.template.spec.containers.[name=web].image"],
                                      "options": {"delimiter": ":", "index": -1}},
                                     {"select": {"labelSelector": "app=web"}, "fieldPaths": ["metadata.labels.app"], "options": {"delimiter": "x", "index": 9}}]}]},
      {"replacements": [{"source": {"kind": "Deployment", "name": "web", "fieldPath": "spec.template.spec.containers"},
                         "targets": [{"select": {"kind": "DaemonSet|CronJob|Deployment", "name": "agent|web"}, "fieldPaths": ["spec.template.spec.initContainers"]}]}]})
plain("vars",
      {"vars": [{"name": "CONFIG_NAME", "objref": {"apiVersion": "v1", "kind": "Service", "name": "web"}, "fieldref": {"fieldPath": "spec.ports[0].port"}},
                {"name": "UNUSED", "objref": {"apiVersion": "v1", "kind": "ConfigMap", "name": "settings"}, "fieldref": {"fieldPath": "data.level"}}]},
      {"vars": [{"name": "CONFIG_NAME", "objref": {"apiVersion": "v1", "kind": "ConfigMap", "name": "settings", "namespace": "shop"}}]},
      {"vars": [{"name": "CONFIG_NAME", "objref": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "fieldref": {"fieldPath": "metadata.labels[app]"}}],
       "commonAnnotations": {"seen": "$(CONFIG_NAME)-$$(CONFIG_NAME)-$(OTHER)"}})
with_file("vars", "conf.yaml", "varReference:\n- {path: spec/image, kind: Bee}\n- {path: metadata/annotations}\n", {"configurations": ["conf.yaml"],
    "commonAnnotations": {"seen": "$(CONFIG_NAME)"},
    "vars": [{"name": "CONFIG_NAME", "objref": {"apiVersion": "v1", "kind": "ConfigMap", "name": "settings"}, "fieldref": {"fieldPath": "metadata.name"}}]})
with_file("configurations", "conf.yaml", "replicas:\n- {path: spec/replicas, kind: Bee, create: true}\nnameSuffix:\n- {path: spec/image, kind: Bee}\n"
          "namespace:\n- {path: spec/where, kind: Bee, create: true}\n", {"configurations": ["conf.yaml"], "namespace": "hive", "nameSuffix": "-c"})
with_file("configurations", "conf.yaml", "templateLabels:\n- {path: spec/template/metadata/labels, kind: Bee, create: true}\nlabels:\n- {path: spec/labels, kind: Bee, create: true}\n"
          "nameReference:\n- kind: Service\n  fieldSpecs:\n  - {path: spec/serviceName, kind: Bee}\n  - {path: spec/image, kind: Bee}\n",
          {"configurations": ["conf.yaml"], "labels": [{"pairs": {"l": "1"}, "includeTemplates": True}], "namePrefix": "c-"})
plain("labels",
      {"labels": [{"pairs": {"team": "bees"}, "includeSelectors": True, "includeTemplates": True, "fields": [
          {"path": "spec/jobTemplate/metadata/labels", "group": "batch", "create": True}]}]},
      {"labels": [{"pairs": {"one": "1"}, "includeTemplates": True}, {"pairs": {"one": "2"}}], "commonLabels": {"one": "3"}})
plain("configMapGenerator",
      {"configMapGenerator": [{"name": "made", "behavior": "create", "literals": ["a=1"]}, {"name": "made", "behavior": "merge", "literals": ["b=2"]},
                              {"name": "made", "behavior": "replace", "literals": ["c=\"3\""]}]},
      {"configMapGenerator": [{"name": "settings", "behavior": "merge", "literals": ["mode=", "script=x\ny"], "options": {
          "labels": {"merged": "yes"}, "annotations": {"merged": "1"}, "immutable": True}}],
       "generatorOptions": {"labels": {"all": "x"}, "disableNameSuffixHash": True, "immutable": False}})
plain("secretGenerator",
      {"secretGenerator": [{"name": "keys", "behavior": "replace", "type": "kubernetes.io/tls", "literals": ["tls.crt=a", "tls.key=b"]},
                           {"name": "empty"}], "generatorOptions": {"annotations": {"note": "z"}}})
plain("buildMetadata", {"buildMetadata": ["originAnnotations", "managedByLabel"], "configMapGenerator": [{"name": "made", "literals": ["a=1"]}]},
      {"buildMetadata": ["transformerAnnotations"], "commonAnnotations": {"a": "b"}, "images": [{"name": "nginx", "newTag": "9"}]})
plain("sortOptions", {"sortOptions": {"order": "legacy", "legacySortOptions": {"orderFirst": ["Bee", "ConfigMap"], "orderLast": ["Deployment", "Service"]}}},
      {"sortOptions": {"order": "fifo"}, "configMapGenerator": [{"name": "made", "literals": ["a=1"]}]})
plain("patchTargets",
      {"patches": [{"target": {"namespace": "shop|default", "name": "^web$"}, "patch": "- {op: add, path: /metadata/annotations, value: {only: this}}\n"}]},
      {"patches": [{"target": {"kind": "ConfigMap"}, "patch": "- {op: copy, from: /metadata/name, path: /data/name}\n- {op: test, path: /data/name, value: settings}\n"}]},
      {"patches": [{"target": {"kind": "Deployment"}, "patch": "- {op: move, from: /spec/template/spec/containers/0, path: /spec/template/spec/containers/1}\n"}]},
      {"patches": [{"target": {"kind": "Deployment", "name": "web"}, "patch": "$patch: delete\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"}]})
plain("patchesSM",
      {"patches": [{"patch": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n"
                             "      - name: web\n        ports:\n        - {containerPort: 8080, name: renamed}\n        - {containerPort: 9090, protocol: UDP}\n"
                             "        env:\n        - {name: MODE, $patch: delete}\n        $setElementOrder/env: [{name: SETTINGS}, {name: MODE}]\n"}]},
      {"patches": [{"patch": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      volumes:\n"
                             "      - $patch: replace\n      - {name: fresh, emptyDir: {}}\n      $retainKeys: [containers]\n"}]},
      {"patches": [{"patch": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {strategy: {$retainKeys: [type], type: Recreate}}\n---\n"
                             "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {$patch: replace, fresh: \"1\"}\n"}]})
with_file("validators", "val.yaml", "apiVersion: builtin\nkind: AnnotationsTransformer\nmetadata: {name: v}\nannotations: {}\nfieldSpecs: [{path: metadata/annotations}]\n---\n"
          "apiVersion: builtin\nkind: ReplicaCountTransformer\nmetadata: {name: w}\nreplica: {name: web, count: 2}\nfieldSpecs: [{path: spec/replicas, kind: Deployment}]\n",
          {"validators": ["val.yaml"]})


@feature("components")
def add_changing_component(tree, directory):
    write(tree, f"{directory}/changes", {
        "replacements": [{"source": {"kind": "ConfigMap", "name": "settings", "fieldPath": "metadata.name"},
                          "targets": [{"select": {"kind": "Deployment"}, "fieldPaths": ["metadata.annotations.settings"], "options": {"create": True}}]}],
        "configMapGenerator": [{"name": "settings", "behavior": "merge", "literals": ["component=1"]}], "components": ["../shared"]}, component=True)
    write(tree, f"{directory}/shared", {"labels": [{"pairs": {"shared": "1"}, "includeTemplates": True}], "nameSuffix": "-sh"}, component=True)
    return {"components": ["changes", "shared"]}


@feature("crds")
def add_more_crds(tree, directory):
    tree[f"{directory}/crd.yaml"] = """example.com/v1.Bee:
  Schema:
    properties:
      apiVersion: {type: string}
      kind: {type: string}
      metadata: {$ref: k8s.io/apimachinery/pkg/apis/meta/v1.ObjectMeta}
      spec: {$ref: example.com/v1.BeeSpec}
example.com/v1.BeeSpec:
  Schema:
    x-kubernetes-identity: [image]
    x-kubernetes-annotation: [notes]
    x-kubernetes-label-selector: [picks]
    properties:
      notes: {type: object, x-kubernetes-annotation: ""}
      picks: {type: object, x-kubernetes-label-selector: ""}
      image: {type: string, x-kubernetes-identity: ""}
      flowers: {type: array, items: {$ref: example.com/v1.Flower}}
example.com/v1.Flower:
  Schema:
    properties:
      name: {type: string}
"""
    return {"crds": ["crd.yaml"], "commonAnnotations": {"of": "crds"}, "commonLabels": {"of": "crds"}, "nameSuffix": "-crd"}


with_file("openapi", "schema.yaml", "definitions:\n  v1.Bee:\n    x-kubernetes-group-version-kind: [{group: example.com, kind: Bee, version: v1}]\n    properties:\n"
          "      spec:\n        properties:\n          flowers:\n            type: array\n            x-kubernetes-list-map-keys: [name]\n            x-kubernetes-list-type: map\n"
          "            x-kubernetes-patch-merge-key: count\n            x-kubernetes-patch-strategy: merge\n            items: {type: object}\n",
          {"openapi": {"path": "schema.yaml"}, "patches": [{"patch":
           "apiVersion: example.com/v1\nkind: Bee\nmetadata: {name: maya}\nspec:\n  flowers:\n  - {name: lily, count: 2}\n  - {name: new, count: 7}\n"}]})
