{{/* Volumes of a role. Secrets are mounted whole folders, never by subPath, so that a changed Secret changes the files. */}}

{{/* Takes root, part, pool. */}}
{{- define "cordboard.volumes" -}}
{{- $part := .part -}}{{- $pool := .pool -}}{{- $root := .root -}}
- name: settings
  configMap: {name: {{ include "cordboard.name" $root }}}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- if and (eq (include "cordboard.kind" $root) "kafka") (include "cordboard.kafka.sources" $root) }}
- name: kafka
  projected:
    defaultMode: 0440
    sources: {{- include "cordboard.kafka.sources" $root | trim | nindent 6 }}
{{- end }}
{{- range $name, $account := $root.Values.accounts }}
{{- $items := include "cordboard.account.items" (dict "root" $root "part" $part "pool" $pool "name" $name "account" $account) }}
{{- if $items }}
- name: account-{{ $name }}
  secret:
    secretName: {{ $account.secret.name }}
    defaultMode: 0440
    items: {{- $items | trim | nindent 6 }}
{{- end }}
{{- end }}
{{- if and (eq (include "cordboard.recorder" $root) "postgresql") (has $part (list "dispatcher" "recorder")) }}
- name: recorder
  secret:
    secretName: {{ $root.Values.recorder.database.secret }}
    defaultMode: 0440
    items: [{key: {{ $root.Values.recorder.database.key | default "url" }}, path: url}]
{{- end }}
{{- end -}}

{{- define "cordboard.mounts" -}}
{{- $part := .part -}}{{- $pool := .pool -}}{{- $root := .root -}}
- {name: settings, mountPath: /etc/cordboard, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if and (eq (include "cordboard.kind" $root) "kafka") (include "cordboard.kafka.sources" $root) }}
- {name: kafka, mountPath: /run/secrets/cordboard/kafka, readOnly: true}
{{- end }}
{{- range $name, $account := $root.Values.accounts }}
{{- if include "cordboard.account.items" (dict "root" $root "part" $part "pool" $pool "name" $name "account" $account) }}
- {name: account-{{ $name }}, mountPath: /run/secrets/cordboard/accounts/{{ $name }}, readOnly: true}
{{- end }}
{{- end }}
{{- if and (eq (include "cordboard.recorder" $root) "postgresql") (has $part (list "dispatcher" "recorder")) }}
- {name: recorder, mountPath: /run/secrets/cordboard/recorder, readOnly: true}
{{- end }}
{{- if or (eq $part "serve") (and (eq $part "ingress") $root.Values.ingress.spool.enabled) }}
- {name: data, mountPath: /var/lib/cordboard}
{{- end }}
{{- end -}}

{{/* The keys of an account's Secret that a role needs, and no others. */}}
{{- define "cordboard.account.items" -}}
{{- $secret := .account.secret -}}
{{- if include "cordboard.holdsKey" . }}
- {key: {{ $secret.apiKey | default "api-key" }}, path: api-key}
{{- end }}
{{- if and $secret.dialUrlSecret (has .part (list "dispatcher" "ingress" "serve")) }}
- {key: {{ $secret.dialUrlSecret }}, path: dial-url-secret}
{{- end }}
{{- end -}}

{{- define "cordboard.kafka.sources" -}}
{{- $kafka := .Values.kafka -}}
{{- with $kafka.password.secret }}
- secret: {name: {{ . }}, items: [{key: {{ $kafka.password.key | default "password" }}, path: password}]}
{{- end }}
{{- with $kafka.token.secret }}
- secret: {name: {{ . }}, items: [{key: {{ $kafka.token.key | default "token" }}, path: token}]}
{{- end }}
{{- with $kafka.ca.secret }}
- secret: {name: {{ . }}, items: [{key: {{ $kafka.ca.key | default "ca.crt" }}, path: ca.crt}]}
{{- end }}
{{- with $kafka.certificate.secret }}
- secret:
    name: {{ . }}
    items:
      - {key: {{ $kafka.certificate.certificateKey | default "user.crt" }}, path: user.crt}
      - {key: {{ $kafka.certificate.keyKey | default "user.key" }}, path: user.key}
{{- end }}
{{- end -}}
