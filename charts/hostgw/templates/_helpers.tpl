{{- define "hostgw.name" -}}
{{- if contains "hostgw" .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-hostgw{{ end }}
{{- end }}

{{- define "hostgw.selector" -}}
app.kubernetes.io/name: hostgw
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "hostgw.labels" -}}
{{ include "hostgw.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{/* What goes into a pod's template: {root, component}. */}}
{{- define "hostgw.podLabels" -}}
{{ include "hostgw.labels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- with .root.Values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* {image, version} */}}
{{- define "hostgw.image" -}}
{{- with .image }}{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.version }}{{ end }}{{ end }}
{{- end }}

{{/* The agent's file: what the values name and leave not empty. */}}
{{- define "hostgw.config" -}}
{{- $config := dict }}
{{- range $key, $value := .Values.config }}
  {{- if kindIs "map" $value }}
    {{- $group := dict }}
    {{- range $inner, $given := $value }}
      {{- if not (or (kindIs "invalid" $given) (eq (toString $given) "") (eq (toString $given) "[]")) }}
        {{- $_ := set $group $inner $given }}
      {{- end }}
    {{- end }}
    {{- $_ := set $config $key $group }}
  {{- else if not (or (kindIs "invalid" $value) (eq (toString $value) "") (eq (toString $value) "[]")) }}
    {{- $_ := set $config $key $value }}
  {{- end }}
{{- end }}
{{- if ne (include "hostgw.nodesSource" .) "digest" }}
  {{- $_ := unset $config "nodes" }}
{{- end }}
{{- $_ := set $config "tunnel" (set (deepCopy ($config.tunnel | default dict)) "mode" (include "hostgw.tunnelMode" .)) }}
{{- toYaml $config }}
{{- end }}

{{/* Named in the file only where it is not the default: without the digest, agents of earlier versions can read the file, too. */}}
{{- define "hostgw.nodesSource" -}}
{{- dig "nodes" "source" "nodes" .Values.config }}
{{- end }}

{{- define "hostgw.hasDigest" -}}
{{- if dig "enabled" false (.Values.digest | default dict) }}true{{ end }}
{{- end }}

{{/* A part of the digest's format: agents look nowhere else. */}}
{{- define "hostgw.digestNamespace" -}}
hostgw-digest
{{- end }}

{{- define "hostgw.digestName" -}}
{{ include "hostgw.name" . }}-digest
{{- end }}

{{/* auto is the default also of clusters that cannot have a tunnel: of those whose next hops are gateways, or that have no probes. */}}
{{- define "hostgw.tunnelMode" -}}
{{- $mode := toString (dig "tunnel" "mode" "auto" .Values.config) }}
{{- $isPossible := and (ne .Values.config.nextHop "PodGateway") (dig "probe" "enabled" true .Values.config) }}
{{- if or (eq $mode "false") (and (eq $mode "auto") (not $isPossible)) }}off{{ else }}{{ $mode }}{{ end }}
{{- end }}

{{/* Whether the agent reads the nodes' CNI configuration also where it writes none. */}}
{{- define "hostgw.readsCni" -}}
{{- if and (ne (include "hostgw.tunnelMode" .) "off") (eq (toString (dig "tunnel" "source" "auto" .Values.config)) "auto") }}true{{ end }}
{{- end }}

{{/* The file without log.level, which a running agent follows. A change of the rest restarts the pods (checksum/config). */}}
{{- define "hostgw.configAtStart" -}}
{{- $config := include "hostgw.config" . | fromYaml }}
{{- $_ := set $config "log" (omit $config.log "level") }}
{{- toYaml $config }}
{{- end }}

{{/* What of it the digest reads. */}}
{{- define "hostgw.digestConfigAtStart" -}}
{{- pick (include "hostgw.configAtStart" . | fromYaml) "apiServer" "nodeSelector" "events" "log" | toYaml }}
{{- end }}

{{/* Whether rules may be written with iptables, whose programs share a lock. */}}
{{- define "hostgw.iptables" -}}
{{- if or .Values.config.forwardAccept (has .Values.config.nat.backend (list "auto" "iptables")) }}true{{ end }}
{{- end }}

{{/* Where the agent's state is kept on a Linux node; empty: nowhere. */}}
{{- define "hostgw.stateDirectory" -}}
{{- if ne .Values.config.stateDirectory "none" }}{{ .Values.config.stateDirectory | default "/var/lib/hostgw" }}{{ end }}
{{- end }}

{{/* Of config.listen or digest.listen. */}}
{{- define "hostgw.listenHost" -}}
{{- regexReplaceAll ":[0-9]+$" . "" | trimAll "[]" }}
{{- end }}

{{- define "hostgw.listenPort" -}}
{{- regexFind "[0-9]+$" . }}
{{- end }}

{{/* Whether Prometheus, from another node, cannot reach it. */}}
{{- define "hostgw.isLoopback" -}}
{{- $host := include "hostgw.listenHost" . }}
{{- if or (hasPrefix "127." $host) (eq $host "::1") }}true{{ end }}
{{- end }}

{{/* Where kubelet asks: what listens on all addresses is asked on loopback. */}}
{{- define "hostgw.probeHost" -}}
{{- $host := include "hostgw.listenHost" . }}
{{- if eq $host "0.0.0.0" }}127.0.0.1{{ else if eq $host "::" }}::1{{ else }}{{ $host }}{{ end }}
{{- end }}

{{/* For what listens there. */}}
{{- define "hostgw.probes" -}}
{{- $at := dict "host" (include "hostgw.probeHost" .) "port" (include "hostgw.listenPort" . | int) -}}
startupProbe:
  httpGet: {{ merge (dict "path" "/healthz") $at | toJson }}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {{ merge (dict "path" "/healthz") $at | toJson }}
  periodSeconds: 20
  failureThreshold: 3
readinessProbe:
  httpGet: {{ merge (dict "path" "/readyz") $at | toJson }}
  periodSeconds: 5
{{- end }}

{{- define "hostgw.securityContext" -}}
runAsUser: 0
privileged: false
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
  add: [NET_ADMIN{{ if or .Values.iptablesLegacy (eq .Values.config.nat.iptables "legacy") }}, NET_RAW{{ end }}]
seccompProfile:
  type: RuntimeDefault
{{- with .Values.seLinuxType }}
seLinuxOptions:
  type: {{ . }}
{{- end }}
{{- end }}

{{/* Refuses what only several values together can get wrong. */}}
{{- define "hostgw.check" -}}
{{- include "hostgw.checkConfig" . }}
{{- if include "hostgw.hasDigest" . }}
{{- include "hostgw.checkListen" (dict "name" "digest.listen" "value" .Values.digest.listen) }}
{{- end }}
{{- if and (ne .Values.monitor.kind "none") (include "hostgw.isLoopback" .Values.config.listen) }}
{{- fail (printf "monitor.kind: Prometheus cannot reach config.listen %s; set config.listen to 0.0.0.0:9157 or [::]:9157" .Values.config.listen) }}
{{- end }}
{{- if include "hostgw.hasDigest" . }}
{{- if and (ne .Values.monitor.kind "none") (include "hostgw.isLoopback" .Values.digest.listen) }}
{{- fail (printf "monitor.kind: Prometheus cannot reach digest.listen %s; set digest.listen to 0.0.0.0:9159 or [::]:9159" .Values.digest.listen) }}
{{- end }}
{{- if eq (include "hostgw.listenPort" .Values.digest.listen) (include "hostgw.listenPort" .Values.config.listen) }}
{{- fail (printf "digest.listen: port %s is that of config.listen, and both are on the host's network" (include "hostgw.listenPort" .Values.digest.listen)) }}
{{- end }}
{{- if eq .Release.Namespace (include "hostgw.digestNamespace" .) }}
{{- fail (printf "the namespace %s holds what the digest writes; install the release into another one" .Release.Namespace) }}
{{- end }}
{{- else if eq (include "hostgw.nodesSource" .) "digest" }}
{{- fail "config.nodes.source: agents follow the digest only where it runs; set digest.enabled=true, and turn it off only after config.nodes.source is nodes again (docs/scale.md)" }}
{{- end }}
{{- if and .Values.config.networkUnavailable.clear (semverCompare "<1.30.0-0" .Capabilities.KubeVersion.Version) }}
{{- fail (printf "config.networkUnavailable.clear: the right is only safe with a ValidatingAdmissionPolicy, which Kubernetes %s does not have (1.30 does)" .Capabilities.KubeVersion.Version) }}
{{- end }}
{{- if and (has (toString .Values.config.clusterRoute) (list "on" "true")) (not (contains "." (toString .Values.config.clusterCidrs))) }}
{{- fail "config.clusterRoute: on needs an IPv4 prefix in config.clusterCidrs, to which the route leads" }}
{{- end }}
{{- if and (has (toString .Values.config.policyRule) (list "on" "true")) (not .Values.config.clusterCidrs) }}
{{- fail "config.policyRule: on needs config.clusterCidrs, to which the rule applies" }}
{{- end }}
{{- end }}

{{- define "hostgw.testPod" -}}
{{ include "hostgw.testPodAnywhere" . }}
nodeSelector:
  kubernetes.io/os: linux
  {{- with .Values.nodeSelector }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "hostgw.testPodAnywhere" -}}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: 1
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65534
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- define "hostgw.testContainer" -}}
env:
  - name: NODE
    valueFrom:
      fieldRef:
        fieldPath: spec.nodeName
  {{- with .targets }}
  - name: OWN
    valueFrom:
      fieldRef:
        fieldPath: status.podIPs
  - name: TARGETS
    value: {{ . }}
  {{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
resources:
  requests:
    cpu: 10m
    memory: 8Mi
{{- end }}
