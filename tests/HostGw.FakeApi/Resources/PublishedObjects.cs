using System.Net.Sockets;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Http;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Resources;

/// <summary>What the API servers of a cluster write by themselves: namespaces, the service networks, and their own addresses.</summary>
internal sealed class PublishedObjects(Store store, TimeProvider time)
{
    /// <summary>Of the Service `kubernetes`, which certificates are valid for: the first of each service network.</summary>
    public static readonly string[] ServiceAddresses = ["10.96.0.1", "fd00:10:96::1"];

    private const string Name = "kubernetes";

    private readonly Lock _lock = new();
    private readonly List<IPEndPoint> _servers = [];

    public void PublishCluster()
    {
        foreach (string name in new[] { "default", "kube-node-lease", "kube-public", "kube-system" })
            Write(Kinds.Namespace, null, name, """{"status":{"phase":"Active"}}""");
        Write(Kinds.ServiceCidr, null, Name, ServiceCidr);
    }

    /// <summary>A server's first address joins the EndpointSlice. That has one port, so a server at another one stays out.</summary>
    public void PublishServer(IPEndPoint address)
    {
        lock (_lock)
        {
            bool fits = _servers.Count == 0 || (_servers[0].Port == address.Port && _servers[0].AddressFamily == address.AddressFamily);
            if (!fits || _servers.Contains(address))
                return;
            _servers.Add(address);
            string type = address.AddressFamily == AddressFamily.InterNetwork ? "IPv4" : "IPv6";
            IEnumerable<string> endpoints = _servers.Select(s => s.Address.ToString()).Order(StringComparer.Ordinal)
                .Select(a => $$"""{"addresses":["{{a}}"],"conditions":{"ready":true} }""");
            Write(Kinds.EndpointSlice, "default", Name, EndpointSlice(type, string.Join(',', endpoints), address.Port));
        }
    }

    private void Write(ResourceKind kind, string? ns, string name, string json)
    {
        string now = JsonFields.Time(time.GetUtcNow());
        store[kind].Write(kind.Key(ns, name), _ =>
        {
            JsonObject content = JsonNode.Parse(json.Replace("NOW", now, StringComparison.Ordinal))!.AsObject();
            ObjectMetadata.Stamp(content, name, ns, time.GetUtcNow());
            return content;
        });
    }

    private static string EndpointSlice(string addressType, string endpoints, int port) => $$"""
        {"metadata":{"generation":1,"labels":{"kubernetes.io/service-name":"kubernetes"},"managedFields":[
          {"manager":"kube-apiserver","operation":"Update","apiVersion":"discovery.k8s.io/v1","time":"NOW","fieldsType":"FieldsV1",
           "fieldsV1":{"f:addressType":{},"f:endpoints":{},
             "f:metadata":{"f:labels":{".":{},"f:kubernetes.io/service-name":{} } },"f:ports":{} } }]},
        "addressType":"{{addressType}}","endpoints":[{{endpoints}}],"ports":[{"name":"https","protocol":"TCP","port":{{port}}}]}
        """;

    private const string ServiceCidr = """
        {"metadata":{"finalizers":["networking.k8s.io/service-cidr-finalizer"],"managedFields":[
          {"manager":"kubernetes-service-cidr-controller","operation":"Apply","apiVersion":"networking.k8s.io/v1","time":"NOW",
           "fieldsType":"FieldsV1","fieldsV1":{"f:status":{"f:conditions":{"k:{\"type\":\"Ready\"}":{".":{},"f:status":{},"f:type":{}}}}},
           "subresource":"status"},
          {"manager":"service-cidr-controller","operation":"Apply","apiVersion":"networking.k8s.io/v1","time":"NOW",
           "fieldsType":"FieldsV1","fieldsV1":{"f:status":{"f:conditions":{"k:{\"type\":\"Ready\"}":
             {".":{},"f:lastTransitionTime":{},"f:message":{},"f:reason":{},"f:status":{},"f:type":{}}}}},"subresource":"status"},
          {"manager":"kube-apiserver","operation":"Update","apiVersion":"networking.k8s.io/v1","time":"NOW",
           "fieldsType":"FieldsV1","fieldsV1":{"f:spec":{"f:cidrs":{}}}},
          {"manager":"kube-controller-manager","operation":"Update","apiVersion":"networking.k8s.io/v1","time":"NOW",
           "fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:finalizers":
             {".":{},"v:\"networking.k8s.io/service-cidr-finalizer\"":{}}}}}]},
        "spec":{"cidrs":["10.96.0.0/16","fd00:10:96::/112"]},
        "status":{"conditions":[
          {"type":"Ready","status":"True","lastTransitionTime":"NOW","reason":"","message":"Kubernetes Service CIDR is ready"}]}}
        """;
}
