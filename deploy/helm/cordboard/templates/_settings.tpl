{{/* Settings: cordboard.toml for what is the same everywhere, and each role's environment for its address and secrets. */}}

{{/* A table as TOML; JSON's strings, numbers, booleans and lists are TOML's. Takes path and table. */}}
{{- define "cordboard.table" -}}
{{- $path := .path -}}
{{- range $key, $value := .table }}
{{- if not (or (kindIs "map" $value) (kindIs "invalid" $value)) }}
{{ $key }} = {{ toJson $value }}
{{- end }}
{{- end }}
{{- range $key, $value := .table }}
{{- if kindIs "map" $value }}

[{{ $path }}{{ $key }}]
{{- include "cordboard.table" (dict "path" (printf "%s%s." $path $key) "table" $value) }}
{{- end }}
{{- end }}
{{- end -}}

{{/* public_url goes to those alone who hold the secret that seals addresses. */}}
{{- define "cordboard.toml" -}}
{{- $accounts := dict -}}
{{- range $name, $account := .Values.accounts -}}
{{- $_ := set $accounts $name (omit ($account.settings | default dict) "public_url") -}}
{{- end -}}
{{- $table := mergeOverwrite (deepCopy .Values.settings) (dict "accounts" $accounts) -}}
{{- include "cordboard.table" (dict "path" "" "table" $table) | trim }}
{{- end -}}

{{/* The variable of an account's setting. Takes name and setting. */}}
{{- define "cordboard.variable" -}}
CORDBOARD_ACCOUNTS__{{ .name | upper | replace "-" "_" }}__{{ .setting }}
{{- end -}}

{{/* Environment of a role. Takes root, part, pool (of a worker alone) and values. */}}
{{- define "cordboard.env" -}}
{{- $part := .part -}}{{- $pool := .pool -}}{{- $root := .root -}}
- {name: CORDBOARD_CONFIG, value: /etc/cordboard/cordboard.toml}
- {name: CORDBOARD_OPERATIONS__HOST, value: {{ $root.Values.listen | quote }}}
{{- if has $part (list "dispatcher" "serve") }}
- {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
- {name: CORDBOARD_GRPC__HOST, value: {{ $root.Values.listen | quote }}}
{{- $host := ternary "[$(POD_IP)]" "$(POD_IP)" (contains ":" $root.Values.listen) }}
- {name: CORDBOARD_GRPC__ADVERTISE, value: {{ printf "%s:50051" $host | quote }}}
{{- end }}
{{- if and (has $part (list "dispatcher" "serve")) $root.Values.dispatcher.rest.enabled }}
- {name: CORDBOARD_REST__HOST, value: {{ $root.Values.listen | quote }}}
{{- end }}
{{- if has $part (list "ingress" "serve") }}
- {name: CORDBOARD_INGRESS__HOST, value: {{ $root.Values.listen | quote }}}
{{- end }}
{{- if eq $part "serve" }}
- {name: CORDBOARD_LOG__PATH, value: /var/lib/cordboard/cordboard.sqlite3}
{{- end }}
{{- if and (eq $part "ingress") $root.Values.ingress.spool.enabled }}
- {name: CORDBOARD_INGRESS__SPOOL, value: /var/lib/cordboard/spool}
{{- end }}
{{- if $root.Values.sealing.secret }}
- {name: CORDBOARD_SEALING__KEY_FILE, value: /run/secrets/cordboard/sealing/sealing.keys}
{{- end }}
{{- include "cordboard.env.accounts" . }}
{{- if eq (include "cordboard.kind" $root) "kafka" }}
{{- include "cordboard.env.kafka" $root }}
{{- end }}
{{- if and (eq (include "cordboard.recorder" $root) "sqlite") (eq $part "serve") }}
- {name: CORDBOARD_RECORDER__KIND, value: sqlite}
- {name: CORDBOARD_RECORDER__PATH, value: /var/lib/cordboard/recorder.sqlite3}
{{- end }}
{{- if and (eq (include "cordboard.recorder" $root) "postgresql") (has $part (list "dispatcher" "recorder")) }}
- {name: CORDBOARD_RECORDER__KIND, value: postgresql}
- {name: CORDBOARD_RECORDER__URL_FILE, value: /run/secrets/cordboard/recorder/url}
{{- end }}
{{- include "cordboard.env.tls" . }}
{{- with $root.Values.identities.secret }}
- {name: CORDBOARD_IDENTITIES_FILE, value: /run/secrets/cordboard/identities/identities.toml}
{{- end }}
{{- if and $root.Values.peers.secret (eq $part "dispatcher") }}
- {name: CORDBOARD_PEERS__SECRET_FILE, value: /run/secrets/cordboard/peers/secret}
{{- end }}
{{- with .values.env }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Whether a role needs an account's API key: the hands of its pool; and the REST door, which knows senders by it. */}}
{{- define "cordboard.holdsKey" -}}
{{- if or (eq .part "serve") (and (eq .part "worker") (eq .pool .name)) (and (eq .part "dispatcher") .root.Values.dispatcher.rest.enabled) -}}
yes
{{- end -}}
{{- end -}}

{{- define "cordboard.env.accounts" -}}
{{- $part := .part -}}{{- $pool := .pool -}}{{- $root := .root -}}
{{- range $name, $account := .root.Values.accounts }}
{{- $folder := printf "/run/secrets/cordboard/accounts/%s" $name }}
{{- if include "cordboard.holdsKey" (dict "root" $root "part" $part "pool" $pool "name" $name) }}
- {name: {{ include "cordboard.variable" (dict "name" $name "setting" "API_KEY_FILE") }}, value: {{ $folder }}/api-key}
{{- end }}
{{- if and $account.secret.forwardUrl (or (eq $part "serve") (and (eq $part "worker") (eq $pool $name))) }}
- name: {{ include "cordboard.variable" (dict "name" $name "setting" "FORWARD_URL") }}
  valueFrom: {secretKeyRef: {name: {{ $account.secret.name }}, key: {{ $account.secret.forwardUrl }}}}
{{- end }}
{{- if and $account.secret.dialUrlSecret (has $part (list "dispatcher" "ingress" "serve")) }}
- {name: {{ include "cordboard.variable" (dict "name" $name "setting" "PUBLIC_URL") }}, value: {{ $account.settings.public_url | quote }}}
- {name: {{ include "cordboard.variable" (dict "name" $name "setting" "DIAL_URL_SECRET_FILE") }}, value: {{ $folder }}/dial-url-secret}
{{- end }}
{{- end }}
{{- end -}}

{{- define "cordboard.env.kafka" -}}
{{- $folder := "/run/secrets/cordboard/kafka" -}}
{{- with .Values.kafka.password.secret }}
- {name: CORDBOARD_KAFKA__SASL_PASSWORD_FILE, value: {{ $folder }}/password}
{{- end }}
{{- with .Values.kafka.token.secret }}
- {name: CORDBOARD_KAFKA__OAUTH_TOKEN_FILE, value: {{ $folder }}/token}
{{- end }}
{{- with .Values.kafka.ca.secret }}
- {name: CORDBOARD_KAFKA__CA_FILE, value: {{ $folder }}/ca.crt}
{{- end }}
{{- with .Values.kafka.certificate.secret }}
- {name: CORDBOARD_KAFKA__CERTIFICATE_FILE, value: {{ $folder }}/user.crt}
- {name: CORDBOARD_KAFKA__KEY_FILE, value: {{ $folder }}/user.key}
{{- end }}
{{- end -}}

{{/* Who holds the certificate of the doors: who has doors; and everybody, where the operations ports serve TLS. */}}
{{- define "cordboard.holdsCertificate" -}}
{{- if and .root.Values.tls.certificate.secret (or .root.Values.tls.operations (has .part (list "dispatcher" "serve"))) -}}
yes
{{- end -}}
{{- end -}}

{{- define "cordboard.env.tls" -}}
{{- $folder := "/run/secrets/cordboard/tls" -}}{{- $tls := .root.Values.tls -}}{{- $doors := has .part (list "dispatcher" "serve") -}}
{{- if include "cordboard.holdsCertificate" . }}
- {name: CORDBOARD_TLS__CERTIFICATE_FILE, value: {{ $folder }}/tls.crt}
- {name: CORDBOARD_TLS__KEY_FILE, value: {{ $folder }}/tls.key}
{{- if $tls.operations }}
- {name: CORDBOARD_TLS__OPERATIONS, value: "true"}
{{- end }}
{{- if $doors }}
- {name: CORDBOARD_TLS__PEER_NAME, value: {{ include "cordboard.peerName" .root }}}
{{- if $tls.clientCa.secret }}
- {name: CORDBOARD_TLS__CLIENT_CA_FILE, value: {{ $folder }}/client-ca.crt}
{{- end }}
{{- if $tls.peerCa.secret }}
- {name: CORDBOARD_TLS__PEER_CA_FILE, value: {{ $folder }}/peer-ca.crt}
{{- end }}
{{- end }}
{{- end }}
{{- if and $tls.publicCertificate.secret (has .part (list "ingress" "serve")) }}
- {name: CORDBOARD_TLS__PUBLIC_CERTIFICATE_FILE, value: {{ $folder }}/public.crt}
- {name: CORDBOARD_TLS__PUBLIC_KEY_FILE, value: {{ $folder }}/public.key}
{{- end }}
{{- end -}}

{{- define "cordboard.peerName" -}}
{{ .Values.tls.peerName | default (printf "%s.%s.svc" (include "cordboard.name" .) .Release.Namespace) }}
{{- end -}}
