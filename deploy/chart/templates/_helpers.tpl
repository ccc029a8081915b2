{{/* Name of everything that belongs to the release. */}}
{{- define "portcullis.name" -}}
{{- if contains "portcullis" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-portcullis" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end -}}
{{- end }}

{{- define "portcullis.selector" -}}
app.kubernetes.io/name: portcullis
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "portcullis.labels" -}}
{{ include "portcullis.selector" . }}
app.kubernetes.io/part-of: portcullis
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end }}

{{- define "portcullis.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end -}}
{{- end -}}
{{- end }}

{{/* The Secret with tls.crt, tls.key and ca.crt. */}}
{{- define "portcullis.certificateSecret" -}}
{{ .Values.certificate.existingSecret | default (printf "%s-tls" (include "portcullis.name" .)) }}
{{- end }}

{{- define "portcullis.hosts" -}}
{{- $service := printf "%s.%s.svc" (include "portcullis.name" .) .Release.Namespace -}}
{{ list $service (printf "%s.cluster.local" $service) | toJson }}
{{- end }}

{{/* What is asked of nobody's values: which files there are, and who we are. */}}
{{- define "portcullis.config" -}}
{{- $tls := dict "certFile" "/etc/portcullis/tls/tls.crt" "keyFile" "/etc/portcullis/tls/tls.key" -}}
{{- $name := include "portcullis.name" . -}}
{{- $config := dict
  "serving" (dict
    "host" .Values.serving.host
    "port" 8443
    "threads" .Values.serving.threads
    "tls" $tls
    "drainDelay" (printf "%vs" .Values.drain.delaySeconds)
    "drainTimeout" (printf "%vs" .Values.drain.timeoutSeconds))
  "management" (dict
    "host" .Values.serving.host
    "port" 8080
    "tls" $tls
    "tokensFile" (ternary "/etc/portcullis/tokens/tokens.yaml" "/etc/portcullis/config/tokens.yaml" (ne .Values.management.tokensSecret "")))
  "kubernetes" (dict
    "enabled" true
    "namespace" .Release.Namespace
    "configMaps" .Values.sources.configMaps
    "secrets" .Values.sources.secrets
    "lease" $name
    "registration" (dict
      "enabled" .Values.registration.enabled
      "name" $name
      "service" (dict "name" $name "namespace" .Release.Namespace "port" 443)
      "caFile" "/etc/portcullis/tls/ca.crt"
      "exemptNamespaces" .Values.registration.exemptNamespaces
      "timeout" (printf "%vs" .Values.registration.timeoutSeconds)))
  "sources" (dict "cache" (dict
    "directory" (printf "%s/modules" (ternary "/var/cache/portcullis" "/var/lib/portcullis" (not (empty (.Values.moduleCache).volume))))
    "maxBytes" ((.Values.moduleCache).maxBytes | default "128Mi")))
  "dataDirectory" "/var/lib/portcullis"
  "log" (dict "level" .Values.logLevel) -}}
{{ mergeOverwrite $config (deepCopy .Values.config) | toYaml }}
{{- end }}
