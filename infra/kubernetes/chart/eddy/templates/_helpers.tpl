{{- define "eddy.labels" -}}
app.kubernetes.io/name: eddy
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "eddy.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* A pod: non-root, read-only, without capabilities; probes; the time to drain. */}}
{{- define "eddy.pod" -}}
metadata:
  labels: {{- include "eddy.labels" . | nindent 4 }}
  annotations:
    checksum/config: {{ .root.Values.config | toJson | sha256sum }}
spec:
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: {{ .root.Values.terminationGracePeriodSeconds }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
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
        {{- if eq .root.Values.mode "kafka" }}
        - { name: KAFKA_BROKERS, value: {{ join "," .root.Values.kafka.brokers | quote }} }
        {{- with .root.Values.kafka.saslSecretPrefix }}
        - { name: KAFKA_SASL_MECHANISM, value: scram-sha-512 }
        - name: KAFKA_SASL_USERNAME
          valueFrom: { secretKeyRef: { name: {{ printf "%s-%s" . $.component }}, key: username } }
        - name: KAFKA_SASL_PASSWORD
          valueFrom: { secretKeyRef: { name: {{ printf "%s-%s" . $.component }}, key: password } }
        {{- end }}
        {{- end }}
      livenessProbe:
        httpGet: { path: /livez, port: http }
        periodSeconds: 10
        failureThreshold: 6
      # The token is in a file, and a probe's headers are not: readiness is asked from inside.
      readinessProbe:
        exec:
          command:
            - node
            - -e
            - "fetch('http://127.0.0.1:7700/readyz', { headers: { authorization: 'Bearer ' + require('fs').readFileSync(process.env.EDDY_HTTP_TOKEN_FILE, 'utf8').trim() } }).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"
        periodSeconds: 10
        timeoutSeconds: 5
      resources: {{- toYaml .resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: { drop: [ALL] }
      volumeMounts:
        - { name: config, mountPath: /etc/eddy }
        - { name: token, mountPath: /run/secrets/eddy, readOnly: true }
        - { name: data, mountPath: /data }
  volumes:
    - name: config
      configMap: { name: {{ .root.Release.Name }}-eddy }
    - name: token
      secret: { secretName: {{ .root.Values.tokenSecret }} }
    {{- if eq .root.Values.mode "kafka" }}
    - name: data
      emptyDir: {}
    {{- end }}
{{- end }}
