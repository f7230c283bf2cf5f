{{/* Names and labels: every object's name begins with the release's. */}}

{{- define "cordboard.name" -}}
{{ .Release.Name }}
{{- end -}}

{{/* The labels by which pods of a part are found; they never change in a release's life. Takes root, part, pool. */}}
{{- define "cordboard.selector" -}}
app.kubernetes.io/name: cordboard
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .part }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- with .pool }}
cordboard-pool: {{ . }}
{{- end }}
{{- end -}}

{{- define "cordboard.labels" -}}
{{ include "cordboard.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end -}}

{{- define "cordboard.image" -}}
{{- $image := .Values.image -}}
{{ $image.repository }}{{ if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default .Chart.AppVersion }}{{ end }}
{{- end -}}

{{/* What the settings say, or Cordboard's own default. */}}
{{- define "cordboard.kind" -}}{{ dig "log" "kind" "embedded" .Values.settings }}{{- end -}}
{{- define "cordboard.partitions" -}}{{ dig "log" "partitions" 4 .Values.settings | int }}{{- end -}}
{{- define "cordboard.prefix" -}}{{ dig "log" "topic_prefix" "cordboard" .Values.settings }}{{- end -}}

{{/* Where the recorder writes: into PostgreSQL, as a process of its own; with one process for all, into a file beside the log. */}}
{{- define "cordboard.recorder" -}}
{{- if .Values.recorder.enabled }}{{ ternary "postgresql" "sqlite" (eq (include "cordboard.kind" .) "kafka") }}{{ end }}
{{- end -}}

{{/* The worker's values for one pool: the account's own over those of all. Takes root and account. */}}
{{- define "cordboard.worker" -}}
{{ mergeOverwrite (deepCopy .root.Values.worker) (deepCopy (.account.worker | default dict)) | toYaml }}
{{- end -}}
