{{/* The elements of a list, or of a text with commas. */}}
{{- define "hostgw.elements" -}}
{{- if kindIs "slice" . }}{{ join "," . }}{{ else if not (has . (list "auto" "none" nil)) }}{{ . }}{{ end }}
{{- end }}

{{/* All bits of the address of a CIDR as 0 and 1; nothing where it is none. An IPv6 address that ends like an IPv4 one is not looked at. */}}
{{- define "hostgw.bits" -}}
{{- $address := first (splitList "/" .) }}
{{- if regexMatch "^[0-9.]+$" $address }}
  {{- range splitList "." $address }}{{ if le (int .) 255 }}{{ printf "%08b" (int .) }}{{ end }}{{ end }}
{{- else if and (regexMatch "^[0-9A-Fa-f]{0,4}(:[0-9A-Fa-f]{0,4}){2,7}$" $address) (not (contains ":::" $address)) }}
  {{- $halves := splitList "::" $address }}
  {{- $groups := compact (splitList ":" $address) }}
  {{- range compact (splitList ":" (first $halves)) }}{{ printf "%016b" (int64 (print "0x" .)) }}{{ end }}
  {{- if eq (len $halves) 2 }}{{ repeat (int (sub 128 (mul 16 (len $groups)))) "0" }}{{ end }}
  {{- range compact (splitList ":" (join ":" (rest $halves))) }}{{ printf "%016b" (int64 (print "0x" .)) }}{{ end }}
{{- end }}
{{- end }}

{{/* Those bits of a CIDR that its length counts. */}}
{{- define "hostgw.networkBits" -}}
{{- include "hostgw.bits" . | trunc (last (splitList "/" .) | int) }}
{{- end }}

{{/* What is wrong with a CIDR; nothing where it is right. */}}
{{- define "hostgw.cidrFault" -}}
{{- $bits := include "hostgw.bits" . }}
{{- $length := last (splitList "/" .) | int }}
{{- if and (contains ":" .) (contains "." .) }}
{{- else if or (not (has (len $bits) (list 32 128))) (lt $length 1) (gt $length (len $bits)) -}}
must be a CIDR such as 10.244.0.0/16 or fd00:10:244::/56, and not hold every address
{{- else if contains "1" (substr $length (len $bits) $bits) -}}
has bits set behind its length
{{- end }}
{{- end }}

{{/* {name, value}: refuses what is no CIDR. */}}
{{- define "hostgw.checkCidrs" -}}
{{- range $cidr := compact (splitList "," (include "hostgw.elements" .value)) }}
{{- with include "hostgw.cidrFault" $cidr }}
{{- fail (printf "%s: '%s' %s" $.name $cidr .) }}
{{- end }}
{{- end }}
{{- end }}

{{/* {name, value}: refuses what is no address and port. */}}
{{- define "hostgw.checkListen" -}}
{{- $host := include "hostgw.listenHost" .value }}
{{- $bits := include "hostgw.bits" $host | len }}
{{- $port := include "hostgw.listenPort" .value | int }}
{{- if or (gt $port 65535) (not (or (has $bits (list 32 128)) (and (contains ":" $host) (contains "." $host)))) }}
{{- fail (printf "%s: '%s' must be an address and a port such as 127.0.0.1:9157 or [::1]:9157" .name .value) }}
{{- end }}
{{- end }}

{{/* Refuses values that the schema cannot judge one by one, and what only several together can get wrong: the agent would not start. */}}
{{- define "hostgw.checkConfig" -}}
{{- $config := .Values.config }}
{{- include "hostgw.checkCidrs" (dict "name" "config.clusterCidrs" "value" $config.clusterCidrs) }}
{{- include "hostgw.checkCidrs" (dict "name" "config.serviceCidrs" "value" $config.serviceCidrs) }}
{{- include "hostgw.checkCidrs" (dict "name" "config.nat.exempt" "value" $config.nat.exempt) }}
{{- include "hostgw.checkListen" (dict "name" "config.listen" "value" $config.listen) }}
{{- if contains "/" (toString $config.interface) }}
{{- $isCidr := regexMatch "^[0-9A-Fa-f:.]+/[0-9]{1,3}$" $config.interface }}
{{- $isLoopback := or (hasPrefix "127." $config.interface) (hasPrefix "::1/" $config.interface) }}
{{- if or (not $isCidr) $isLoopback (include "hostgw.cidrFault" $config.interface) }}
{{- fail (printf "config.interface: '%s' must be auto, an interface name, a pattern such as eth*, or an aligned CIDR that holds its address; never lo" $config.interface) }}
{{- end }}
{{- end }}
{{- range $name := list "apiServerAddress" "gateway" }}
{{- with dig "windows" $name "" $config }}
{{- if not (include "hostgw.bits" . | len | eq 32) }}
{{- fail (printf "config.windows.%s: '%s' must be an IPv4 address such as 192.0.2.10" $name .) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $service := compact (splitList "," (include "hostgw.elements" $config.serviceCidrs)) }}
{{- range $cluster := compact (splitList "," (include "hostgw.elements" $config.clusterCidrs)) }}
{{- $one := include "hostgw.networkBits" $service }}
{{- $other := include "hostgw.networkBits" $cluster }}
{{- if and $one $other (eq (contains ":" $service) (contains ":" $cluster)) (or (hasPrefix $one $other) (hasPrefix $other $one)) }}
{{- fail (printf "config.serviceCidrs: '%s' must not overlap '%s' of config.clusterCidrs" $service $cluster) }}
{{- end }}
{{- end }}
{{- end }}
{{- $label := "[A-Za-z0-9_./-]" }}
{{- $requirement := printf "(!? *%[1]s+|%[1]s+ *(!=|==?) *%[1]s*|%[1]s+ +(in|notin) +\\( *%[1]s*( *, *%[1]s*)* *\\))" $label }}
{{- if not (regexMatch (printf "^ *(%[1]s( *, *%[1]s)*)? *$" $requirement) ($config.nodeSelector | default "")) }}
{{- fail (printf "config.nodeSelector: '%s' must be a label selector such as pool=a,tier!=db,!virtual,zone in (x,y)" $config.nodeSelector) }}
{{- end }}
{{- if has (int $config.routeProtocol) (list 8 9 10 11 12 13 14 15 16 17 18 42 84 99 186 187 188 189 192) }}
{{- fail (printf "config.routeProtocol: %d must be a number that no other program uses (linux/rtnetlink.h, RTPROT_)" (int $config.routeProtocol)) }}
{{- end }}
{{- if ne (include "hostgw.tunnelMode" .) "off" }}
{{- if eq $config.nextHop "PodGateway" }}
{{- fail "config.tunnel.mode: always needs config.nextHop: NodeAddress: with PodGateway each peer must be on this segment; set config.tunnel.mode to off, or config.nextHop to NodeAddress" }}
{{- end }}
{{- $port := dig "tunnel" "port" 4790 $config | int }}
{{- if eq $port (dig "probe" "port" 9158 $config | int) }}
{{- fail (printf "config.tunnel.port and config.probe.port are both %d; set one of them to a port of its own, or config.tunnel.mode to off" $port) }}
{{- end }}
{{- end }}
{{- end }}
