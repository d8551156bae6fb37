{{- define "eddy.labels" -}}
app.kubernetes.io/name: eddy
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "eddy.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "eddy.tokenSecret" -}}
{{ .Values.tokenSecret | default (printf "%s-eddy-token" .Release.Name) }}
{{- end }}

{{/* A token of the chart's own Secret, base64: the one there is, or a new one. */}}
{{- define "eddy.newToken" -}}
{{- $values := .root.Values -}}
{{- $memo := printf "_%s" .key -}}
{{- if not (hasKey $values $memo) -}}
{{- $there := lookup "v1" "Secret" .root.Release.Namespace (include "eddy.tokenSecret" .root) -}}
{{- $_ := set $values $memo (dig "data" .key (randAlphaNum 40 | b64enc) ($there | default dict)) -}}
{{- end -}}
{{ index $values $memo }}
{{- end }}

{{/* Changes whenever a Secret does that pods read at their start; a Secret of others is looked up, where there is a cluster to ask. */}}
{{- define "eddy.secretsChecksum" -}}
{{- $all := list -}}
{{- if .Values.tokenSecret -}}
{{- $all = append $all (lookup "v1" "Secret" .Release.Namespace .Values.tokenSecret | default dict).data -}}
{{- else -}}
{{- range list "token" "metrics-token" -}}
{{- $all = append $all (include "eddy.newToken" (dict "root" $ "key" .)) -}}
{{- end -}}
{{- end -}}
{{- range compact (list .Values.tls.secret .Values.kafka.ssl.caSecret) -}}
{{- $all = append $all (lookup "v1" "Secret" $.Release.Namespace . | default dict).data -}}
{{- end -}}
{{ $all | toJson | sha256sum }}
{{- end }}

{{/* A question of the kubelet's, which has neither a token nor a certificate. */}}
{{- define "eddy.probe" -}}
httpGet: { path: {{ .path }}, port: http{{ if .root.Values.tls.secret }}, scheme: HTTPS{{ end }} }
timeoutSeconds: 5
{{- end }}

{{/* A pod: non-root, read-only, without capabilities; probes; the time to drain. */}}
{{- define "eddy.pod" -}}
metadata:
  labels: {{- include "eddy.labels" . | nindent 4 }}
  annotations:
    checksum/config: {{ .root.Values.config | toJson | sha256sum }}
    checksum/secrets: {{ include "eddy.secretsChecksum" .root }}
    {{- with .root.Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  automountServiceAccountToken: false
  # They would be EDDY_… variables, and one that Eddy does not know is an error.
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .root.Values.terminationGracePeriodSeconds }}
  {{- with .root.Values.image.pullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    # Of a log of many gigabytes only once.
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: { type: RuntimeDefault }
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{- include "eddy.labels" . | nindent 10 }}
  containers:
    - name: eddy
      image: {{ include "eddy.image" .root }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: [{{ .command }}, --config, /etc/eddy/eddy.yaml]
      ports: [{ name: http, containerPort: 7700 }]
      env:
        - { name: EDDY_HTTP_HOST, value: 0.0.0.0 }
        - { name: EDDY_HTTP_TOKEN_FILE, value: /run/secrets/eddy/token }
        {{- if or (not .root.Values.tokenSecret) .root.Values.monitoring.serviceMonitor.enabled }}
        - { name: EDDY_HTTP_METRICS_TOKEN_FILE, value: /run/secrets/eddy/metrics-token }
        {{- end }}
        {{- if .root.Values.tls.secret }}
        - { name: EDDY_HTTP_TLS_CERT, value: /run/secrets/tls/tls.crt }
        - { name: EDDY_HTTP_TLS_KEY, value: /run/secrets/tls/tls.key }
        {{- if .root.Values.tls.clientCa }}
        - { name: EDDY_HTTP_TLS_CLIENT_CA, value: /run/secrets/tls/ca.crt }
        {{- end }}
        {{- end }}
        {{- if .root.Values.ca.configMap }}
        - { name: NODE_EXTRA_CA_CERTS, value: {{ printf "/etc/eddy-ca/%s" .root.Values.ca.key }} }
        {{- end }}
        {{- if eq .root.Values.mode "kafka" }}
        - { name: KAFKA_BROKERS, value: {{ join "," .root.Values.kafka.brokers | quote }} }
        {{- if .root.Values.kafka.ssl.enabled }}
        - { name: KAFKA_SSL_ENABLED, value: "true" }
        {{- if .root.Values.kafka.ssl.caSecret }}
        - { name: KAFKA_SSL_CA, value: /run/secrets/kafka-ca/ca.crt }
        {{- end }}
        {{- end }}
        {{- with .root.Values.kafka.saslSecretPrefix }}
        - { name: KAFKA_SASL_MECHANISM, value: scram-sha-512 }
        - name: KAFKA_SASL_USERNAME
          valueFrom: { secretKeyRef: { name: {{ printf "%s-%s" . $.component }}, key: username } }
        - name: KAFKA_SASL_PASSWORD
          valueFrom: { secretKeyRef: { name: {{ printf "%s-%s" . $.component }}, key: password } }
        {{- end }}
        {{- end }}
        {{- with .root.Values.env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      # After an unclean stop the log is checked before anything is answered; on Kafka a broker may be away.
      startupProbe:
        {{- include "eddy.probe" (dict "root" .root "path" "/livez") | nindent 8 }}
        periodSeconds: 5
        failureThreshold: 120
      # Says no only where a restart helps: neither a full disk nor a broker that is away is a reason.
      livenessProbe:
        {{- include "eddy.probe" (dict "root" .root "path" "/livez") | nindent 8 }}
        periodSeconds: 10
        failureThreshold: 6
      readinessProbe:
        {{- include "eddy.probe" (dict "root" .root "path" "/readyz") | nindent 8 }}
        periodSeconds: 5
        failureThreshold: 2
      resources: {{- toYaml .resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: { drop: [ALL] }
      volumeMounts:
        - { name: config, mountPath: /etc/eddy }
        - { name: token, mountPath: /run/secrets/eddy, readOnly: true }
        - { name: data, mountPath: /data }
        {{- if .root.Values.tls.secret }}
        - { name: tls, mountPath: /run/secrets/tls, readOnly: true }
        {{- end }}
        {{- if .root.Values.ca.configMap }}
        - { name: ca, mountPath: /etc/eddy-ca, readOnly: true }
        {{- end }}
        {{- if and (eq .root.Values.mode "kafka") .root.Values.kafka.ssl.caSecret }}
        - { name: kafka-ca, mountPath: /run/secrets/kafka-ca, readOnly: true }
        {{- end }}
        {{- with .root.Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: config
      configMap: { name: {{ .root.Release.Name }}-eddy }
    - name: token
      # 0440: what it holds is for the pod's group alone.
      secret: { secretName: {{ include "eddy.tokenSecret" .root }}, defaultMode: 288 }
    {{- if eq .root.Values.mode "kafka" }}
    - name: data
      emptyDir: {}
    {{- end }}
    {{- with .root.Values.tls.secret }}
    - name: tls
      secret: { secretName: {{ . }} }
    {{- end }}
    {{- with .root.Values.ca.configMap }}
    - name: ca
      configMap: { name: {{ . }} }
    {{- end }}
    {{- if and (eq .root.Values.mode "kafka") .root.Values.kafka.ssl.caSecret }}
    - name: kafka-ca
      secret: { secretName: {{ .root.Values.kafka.ssl.caSecret }} }
    {{- end }}
    {{- with .root.Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
