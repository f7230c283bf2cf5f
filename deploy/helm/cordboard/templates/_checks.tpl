{{/* What must hold between values, each with a sentence; everything that is wrong is named at once. */}}

{{- define "cordboard.checks" -}}
{{- $problems := list -}}
{{- range $check := list "accounts" "log" "kafka" "tls" "scale" "ingress" "recorder" "identities" "strimzi" -}}
{{- $said := include (printf "cordboard.checks.%s" $check) $ | trim -}}
{{- if $said -}}{{- $problems = concat $problems (splitList "\n" $said) -}}{{- end -}}
{{- end -}}
{{- $named := list -}}
{{- range $problems -}}{{- if trim . -}}{{- $named = append $named (printf "  %s" (trim .)) -}}{{- end -}}{{- end -}}
{{- if $named -}}
{{- fail (printf "\nThe values have %d problem(s):\n%s" (len $named) (join "\n" $named)) -}}
{{- end -}}
{{- end -}}

{{- define "cordboard.checks.accounts" -}}
{{- if not .Values.accounts }}
accounts: at least one is needed, such as accounts.main with secret.name and settings.webhook_public_key
{{- end }}
{{- range $name, $account := .Values.accounts }}
{{- if and (dig "settings" "public_url" "" $account) (not $account.secret.dialUrlSecret) }}
accounts.{{ $name }}.secret.dialUrlSecret: must name a key of {{ $account.secret.name }} where public_url is set: it seals the addresses of dials
{{- end }}
{{- if and $account.secret.dialUrlSecret (not (dig "settings" "public_url" "" $account)) }}
accounts.{{ $name }}.settings.public_url: must be set where secret.dialUrlSecret is: without it nothing is sealed
{{- end }}
{{- $long := printf "%s-worker-%s" $.Release.Name $name }}
{{- if gt (len $long) 52 }}
accounts.{{ $name }}: {{ $long }} is longer than the 52 characters that leave room for pods' names; shorten the release's name or the account's
{{- end }}
{{- end }}
{{- $default := dig "default_account" "" .Values.settings }}
{{- if and $default (not (hasKey .Values.accounts $default)) }}
settings.default_account: {{ $default }} is none of the accounts ({{ keys .Values.accounts | sortAlpha | join ", " }})
{{- end }}
{{- end -}}

{{- define "cordboard.checks.log" -}}
{{- $servers := dig "kafka" "bootstrap_servers" "" .Values.settings }}
{{- if eq (include "cordboard.kind" .) "embedded" }}
{{- if gt (int .Values.serve.replicas) 1 }}
serve.replicas: is {{ .Values.serve.replicas }}, must be 1: the embedded log is one file and belongs to one process; for more set settings.log.kind to kafka
{{- end }}
{{- if $servers }}
settings.log.kind: must be kafka where settings.kafka.bootstrap_servers is set
{{- end }}
{{- if .Values.strimzi.enabled }}
strimzi.enabled: must be false where settings.log.kind is embedded: there are no topics
{{- end }}
{{- if .Values.ingress.spool.enabled }}
ingress.spool.enabled: must be false where settings.log.kind is embedded: the log is on the same disk
{{- end }}
{{- else if not $servers }}
settings.kafka.bootstrap_servers: must be set where settings.log.kind is kafka, as host:port with commas between
{{- end }}
{{- end -}}

{{- define "cordboard.checks.kafka" -}}
{{- $kafka := .Values.settings.kafka | default dict -}}
{{- $mechanism := $kafka.sasl_mechanism | default "" -}}
{{- $bearer := eq $mechanism "OAUTHBEARER" }}
{{- if and $mechanism (not $bearer) (not .Values.kafka.password.secret) }}
kafka.password.secret: must name a Secret where settings.kafka.sasl_mechanism is {{ $mechanism }}
{{- end }}
{{- if and $bearer (not .Values.kafka.token.secret) }}
kafka.token.secret: must name a Secret where settings.kafka.sasl_mechanism is OAUTHBEARER
{{- end }}
{{- if and .Values.kafka.password.secret (or $bearer (not $mechanism)) }}
settings.kafka.sasl_mechanism: must be PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 where kafka.password.secret is set
{{- end }}
{{- if and (or .Values.kafka.ca.secret .Values.kafka.certificate.secret) (not (hasSuffix "SSL" ($kafka.security_protocol | default ""))) }}
settings.kafka.security_protocol: must be SSL or SASL_SSL where kafka.ca or kafka.certificate is set
{{- end }}
{{- if and .Values.worker.autoscaling.enabled $bearer }}
worker.autoscaling.enabled: KEDA reads lag by PLAIN, SCRAM or a certificate, not by the token of OAUTHBEARER; scale workers by hand
{{- end }}
{{- end -}}

{{- define "cordboard.checks.tls" -}}
{{- $tls := .Values.tls -}}
{{- if not $tls.certificate.secret }}
{{- range $name := list "clientCa" "peerCa" }}
{{- if (index $tls $name).secret }}
tls.certificate.secret: must name a Secret where tls.{{ $name }} is set
{{- end }}
{{- end }}
{{- range $name := list "peerName" "operations" }}
{{- if index $tls $name }}
tls.certificate.secret: must name a Secret where tls.{{ $name }} is set
{{- end }}
{{- end }}
{{- else if not (or $tls.clientCa.secret $tls.peerCa.secret) }}
tls.peerCa.secret: (or tls.clientCa.secret) must name a Secret where tls.certificate is set: dispatchers verify each other by it
{{- end }}
{{- end -}}

{{- define "cordboard.checks.scale" -}}
{{- $partitions := include "cordboard.partitions" . | int }}
{{- range $part := list "dispatcher" "worker" "ingress" }}
{{- $scale := (index $.Values $part).autoscaling }}
{{- if gt (int $scale.minReplicas) (int $scale.maxReplicas) }}
{{ $part }}.autoscaling.minReplicas: is {{ $scale.minReplicas }}, must not exceed maxReplicas, which is {{ $scale.maxReplicas }}
{{- end }}
{{- end }}
{{- if eq (include "cordboard.kind" .) "kafka" }}
{{- $dispatcher := .Values.dispatcher }}
{{- $most := ternary $dispatcher.autoscaling.maxReplicas $dispatcher.replicas $dispatcher.autoscaling.enabled | int }}
{{- if gt $most $partitions }}
dispatcher.{{ ternary "autoscaling.maxReplicas" "replicas" $dispatcher.autoscaling.enabled }}: is {{ $most }}, must not exceed settings.log.partitions, which is {{ $partitions }}: more dispatchers have nothing to do
{{- end }}
{{- range $name, $account := .Values.accounts }}
{{- $worker := include "cordboard.worker" (dict "root" $ "account" $account) | fromYaml }}
{{- if and $worker.autoscaling.enabled (gt (int $worker.autoscaling.maxReplicas) $partitions) }}
worker.autoscaling.maxReplicas: is {{ $worker.autoscaling.maxReplicas }} for {{ $name }}, must not exceed settings.log.partitions, which is {{ $partitions }}: more workers have no seat in a lane
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "cordboard.checks.ingress" -}}
{{- $ingress := .Values.ingress }}
{{- if and $ingress.spool.enabled $ingress.autoscaling.enabled }}
ingress.autoscaling.enabled: must be false where ingress.spool.enabled is true: a pod that is scaled away leaves its webhooks on its volume
{{- end }}
{{- if and $ingress.route.enabled (not $ingress.route.host) }}
ingress.route.host: must be set where ingress.route.enabled is true
{{- end }}
{{- end -}}

{{- define "cordboard.checks.recorder" -}}
{{- if eq (include "cordboard.recorder" .) "postgresql" }}
{{- if ne (int .Values.recorder.replicas) 1 }}
recorder.replicas: is {{ .Values.recorder.replicas }}, must be 1: one process keeps up, and two would wait for each other
{{- end }}
{{- if not .Values.recorder.database.secret }}
recorder.database.secret: must name a Secret that holds the address of a PostgreSQL database
{{- end }}
{{- else if .Values.recorder.database.secret }}
recorder.database.secret: is used only where recorder.enabled is true and settings.log.kind is kafka
{{- end }}
{{- end -}}

{{- define "cordboard.checks.identities" -}}
{{- $asks := or .Values.identities.secret .Values.settings.identities }}
{{- if and $asks (eq (include "cordboard.kind" .) "kafka") (not .Values.peers.secret) }}
peers.secret: must name a Secret where identities are: dispatchers ask each other for whole pages, and no sender may
{{- end }}
{{- end -}}

{{- define "cordboard.checks.strimzi" -}}
{{- if .Values.strimzi.enabled }}
{{- if not .Values.strimzi.cluster }}
strimzi.cluster: must be the name of a Kafka resource
{{- end }}
{{- if dig "kafka" "create_topics" true .Values.settings }}
settings.kafka.create_topics: must be false where strimzi.enabled is true: the topic operator makes the topics
{{- end }}
{{- end }}
{{- end -}}
