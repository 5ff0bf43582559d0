/** The part of the Prometheus operator's API (v1) that the chart uses. https://prometheus-operator.dev/docs/api-reference/api/ */
export interface PodMonitor {
    apiVersion: "monitoring.coreos.com/v1";
    kind: "PodMonitor";
    metadata?: ObjectMeta;
    spec: PodMonitorSpec;
}
export interface PodMonitorSpec {
    podMetricsEndpoints: Array<Endpoint>;
    selector: LabelSelector;
}
export interface ServiceMonitor {
    apiVersion: "monitoring.coreos.com/v1";
    kind: "ServiceMonitor";
    metadata?: ObjectMeta;
    spec: ServiceMonitorSpec;
}
export interface ServiceMonitorSpec {
    endpoints: Array<Endpoint>;
    selector: LabelSelector;
}
export interface Endpoint {
    port?: string;
    interval?: string;
    relabelings?: Array<RelabelConfig>;
}
export interface RelabelConfig {
    sourceLabels?: Array<string>;
    targetLabel?: string;
}
export interface PrometheusRule {
    apiVersion: "monitoring.coreos.com/v1";
    kind: "PrometheusRule";
    metadata?: ObjectMeta;
    spec: PrometheusRuleSpec;
}
export interface PrometheusRuleSpec {
    groups?: Array<RuleGroup>;
}
export interface RuleGroup {
    name: string;
    rules?: Array<Rule>;
}
export interface Rule {
    alert?: string;
    annotations?: {
        [name: string]: string;
    };
    expr: number | string;
    for?: string;
    labels?: {
        [name: string]: string;
    };
}
export interface ObjectMeta {
    labels?: {
        [name: string]: string;
    };
    name?: string;
    namespace?: string;
}
export interface LabelSelector {
    matchLabels?: {
        [name: string]: string;
    };
}
