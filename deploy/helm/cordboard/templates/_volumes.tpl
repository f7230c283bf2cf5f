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
{{- with include "cordboard.tls.sources" . | trim }}
- name: tls
  projected:
    defaultMode: 0440
    sources: {{- . | nindent 6 }}
{{- end }}
{{- with $root.Values.sealing.secret }}
- name: sealing
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items: [{key: {{ $root.Values.sealing.key | default "sealing.keys" }}, path: sealing.keys}]
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
{{- with $root.Values.identities.secret }}
- name: identities
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items: [{key: {{ $root.Values.identities.key | default "identities.toml" }}, path: identities.toml}]
{{- end }}
{{- if and $root.Values.peers.secret (eq $part "dispatcher") }}
- name: peers
  secret:
    secretName: {{ $root.Values.peers.secret }}
    defaultMode: 0440
    items: [{key: {{ $root.Values.peers.key | default "peers" }}, path: secret}]
{{- end }}
{{- end -}}

{{- define "cordboard.mounts" -}}
{{- $part := .part -}}{{- $pool := .pool -}}{{- $root := .root -}}
- {name: settings, mountPath: /etc/cordboard, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if and (eq (include "cordboard.kind" $root) "kafka") (include "cordboard.kafka.sources" $root) }}
- {name: kafka, mountPath: /run/secrets/cordboard/kafka, readOnly: true}
{{- end }}
{{- if include "cordboard.tls.sources" . | trim }}
- {name: tls, mountPath: /run/secrets/cordboard/tls, readOnly: true}
{{- end }}
{{- if $root.Values.sealing.secret }}
- {name: sealing, mountPath: /run/secrets/cordboard/sealing, readOnly: true}
{{- end }}
{{- range $name, $account := $root.Values.accounts }}
{{- if include "cordboard.account.items" (dict "root" $root "part" $part "pool" $pool "name" $name "account" $account) }}
- {name: account-{{ $name }}, mountPath: /run/secrets/cordboard/accounts/{{ $name }}, readOnly: true}
{{- end }}
{{- end }}
{{- if and (eq (include "cordboard.recorder" $root) "postgresql") (has $part (list "dispatcher" "recorder")) }}
- {name: recorder, mountPath: /run/secrets/cordboard/recorder, readOnly: true}
{{- end }}
{{- with $root.Values.identities.secret }}
- {name: identities, mountPath: /run/secrets/cordboard/identities, readOnly: true}
{{- end }}
{{- if and $root.Values.peers.secret (eq $part "dispatcher") }}
- {name: peers, mountPath: /run/secrets/cordboard/peers, readOnly: true}
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

{{/* What a role serves by; the doors alone hold who vouches for clients and peers. Takes root and part. */}}
{{- define "cordboard.tls.sources" -}}
{{- $tls := .root.Values.tls -}}{{- $doors := has .part (list "dispatcher" "serve") -}}
{{- if include "cordboard.holdsCertificate" . }}
- secret:
    name: {{ $tls.certificate.secret }}
    items:
      - {key: {{ $tls.certificate.certificateKey | default "tls.crt" }}, path: tls.crt}
      - {key: {{ $tls.certificate.keyKey | default "tls.key" }}, path: tls.key}
{{- if and $doors $tls.clientCa.secret }}
- secret: {name: {{ $tls.clientCa.secret }}, items: [{key: {{ $tls.clientCa.key | default "ca.crt" }}, path: client-ca.crt}]}
{{- end }}
{{- if and $doors $tls.peerCa.secret }}
- secret: {name: {{ $tls.peerCa.secret }}, items: [{key: {{ $tls.peerCa.key | default "ca.crt" }}, path: peer-ca.crt}]}
{{- end }}
{{- end }}
{{- if and $tls.publicCertificate.secret (has .part (list "ingress" "serve")) }}
- secret:
    name: {{ $tls.publicCertificate.secret }}
    items:
      - {key: {{ $tls.publicCertificate.certificateKey | default "tls.crt" }}, path: public.crt}
      - {key: {{ $tls.publicCertificate.keyKey | default "tls.key" }}, path: public.key}
{{- end }}
{{- end -}}
