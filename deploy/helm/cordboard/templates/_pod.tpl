{{/* The pod of every role. Takes root, part, args, values (the role's), stop (its stop_seconds), and of a worker pool. */}}

{{- define "cordboard.pod" -}}
{{- $root := .root -}}{{- $values := .values -}}
metadata:
  labels: {{- include "cordboard.labels" . | nindent 4 }}
  {{- with $root.Values.pods.labels }}
  {{- toYaml . | nindent 4 }}
  {{- end }}
  annotations:
    # Settings are read at the start: other settings are another pod.
    checksum/settings: {{ include "cordboard.toml" $root | sha256sum }}
    {{- with $root.Values.pods.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "cordboard.name" $root }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with $root.Values.image.pullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.pods.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  # preStop, then the process's own bound for its stop, then a margin: it is never cut off in its drain.
  terminationGracePeriodSeconds: {{ add $values.preStopSeconds .stop 10 }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: {type: RuntimeDefault}
  topologySpreadConstraints: {{- include "cordboard.spread" . | trim | nindent 4 }}
  containers:
    - name: cordboard
      image: {{ include "cordboard.image" $root | quote }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: {{ toJson .args }}
      env: {{- include "cordboard.env" . | trim | nindent 8 }}
      ports: {{- include "cordboard.ports" . | trim | nindent 8 }}
      {{- include "cordboard.probes" . | nindent 6 }}
      {{- if $values.preStopSeconds }}
      lifecycle:
        preStop: {sleep: {seconds: {{ $values.preStopSeconds }}}}
      {{- end }}
      resources: {{- toYaml $values.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      volumeMounts: {{- include "cordboard.mounts" . | trim | nindent 8 }}
  volumes: {{- include "cordboard.volumes" . | trim | nindent 4 }}
  {{- with $root.Values.pods.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.pods.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.pods.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "cordboard.ports" -}}
{{- if has .part (list "dispatcher" "serve") }}
- {name: grpc, containerPort: 50051}
{{- end }}
{{- if and (has .part (list "dispatcher" "serve")) .root.Values.dispatcher.rest.enabled }}
- {name: rest, containerPort: 8081}
{{- end }}
{{- if has .part (list "ingress" "serve") }}
- {name: webhooks, containerPort: 8080}
{{- end }}
- {name: operations, containerPort: 9464}
{{- end -}}

{{/*
  Started: the start is over, restores included. Alive: the process answers, whatever else is away. Ready: work may be
  sent here. A process whose log or Telnyx is away is not ready and stays alive: to start it anew would help nobody.
*/}}
{{- define "cordboard.probes" -}}
{{- $grpc := and (eq .part "dispatcher") .values.grpcProbes (not .root.Values.tls.certificate.secret) -}}
{{- $scheme := ternary ", scheme: HTTPS" "" .root.Values.tls.operations -}}
startupProbe:
  httpGet: {path: /startz, port: operations{{ $scheme }}}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: {{ ceil (divf .values.startupSeconds 5) }}
livenessProbe:
  {{- if $grpc }}
  grpc: {port: 50051, service: liveness}
  {{- else }}
  httpGet: {path: /healthz, port: operations{{ $scheme }}}
  {{- end }}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  {{- if $grpc }}
  grpc: {port: 50051, service: readiness}
  {{- else }}
  httpGet: {path: /readyz, port: operations{{ $scheme }}}
  {{- end }}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
{{- end -}}

{{/* Over zones and nodes, each version of the pods by itself; better unevenly than not at all. */}}
{{- define "cordboard.spread" -}}
{{- range $topology := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
- maxSkew: 1
  topologyKey: {{ $topology }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels: {{- include "cordboard.selector" $ | nindent 6 }}
  {{- if $.revisions }}
  matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}
{{- end -}}
