using System.Text.Json.Nodes;
using HostGw.Chart.Tests.Policy;

namespace HostGw.Chart.Tests;

/// <summary>Whom the admission policy lets change what agents follow with nodes.source digest.</summary>
public sealed class DigestPolicyTests
{
    private const string Digest = "system:serviceaccount:hostgw-system:hostgw-digest";
    private const string Agent = "system:serviceaccount:hostgw-system:hostgw";
    private const string NamespaceController = "system:serviceaccount:kube-system:namespace-controller";
    private const string OnlyTheDigest = "only hostgw's digest writes what agents follow, and nobody deletes it (docs/security.md)";
    private const string Format = "the format of a shard must be 1";
    private const string Name = "the name of a shard must be hostgw-nodes- and its number, 000 to 511";
    private const string Label = "a shard must have the label hostgw.io/part=nodes, by which agents find it";

    private static readonly PolicyJudge Policy = new("hostgw-digest", "digest.enabled=true");

    [Theory]
    [InlineData("CREATE", Digest, "allowed")]
    [InlineData("UPDATE", Digest, "allowed")]
    [InlineData("DELETE", Digest, OnlyTheDigest)]
    [InlineData("CREATE", Agent, OnlyTheDigest)]
    [InlineData("UPDATE", Agent, OnlyTheDigest)]
    [InlineData("DELETE", Agent, OnlyTheDigest)]
    [InlineData("UPDATE", "system:serviceaccount:kube-system:hostgw-digest", OnlyTheDigest)]
    [InlineData("UPDATE", "kubernetes-admin", OnlyTheDigest)]
    [InlineData("DELETE", "kubernetes-admin", OnlyTheDigest)]
    public void Only_the_digest_writes_shards_and_the_Lease_and_nobody_deletes_them(string operation, string user, string answer) =>
        Assert.Equal([answer, answer], Policy.Ask(Write(operation, user, Shard("hostgw-nodes-007", "007")), Write(operation, user, Lease("hostgw-digest"))));

    [Fact]
    public void The_namespace_can_be_deleted()
    {
        JsonObject shard = Shard("hostgw-nodes-007", "007"), lease = Lease("hostgw-digest");
        Assert.Equal(["allowed", "allowed"], Policy.Ask(
            Write("DELETE", NamespaceController, shard, isGoing: true), Write("DELETE", NamespaceController, lease, isGoing: true)));
        Assert.Equal([OnlyTheDigest, OnlyTheDigest], Policy.Ask(
            Write("DELETE", NamespaceController, shard), Write("UPDATE", NamespaceController, shard, isGoing: true)));
    }

    [Theory]
    [InlineData("hostgw-nodes-000", "000", "1", "nodes", "allowed")]
    [InlineData("hostgw-nodes-499", "499", "1", "nodes", "allowed")]
    [InlineData("hostgw-nodes-511", "511", "1", "nodes", "allowed")]
    [InlineData("hostgw-nodes-512", "512", "1", "nodes", Name)]
    [InlineData("hostgw-nodes-599", "599", "1", "nodes", Name)]
    [InlineData("hostgw-nodes-7", "7", "1", "nodes", Name)]
    [InlineData("hostgw-nodes-0007", "0007", "1", "nodes", Name)]
    [InlineData("hostgw-nodes-007", "008", "1", "nodes", Name)]
    [InlineData("hostgw-nodes-007", null, "1", "nodes", Name)]
    [InlineData("hostgw-nodes-", "", "1", "nodes", Name)]
    [InlineData("other", "007", "1", "nodes", Name)]
    [InlineData("hostgw-nodes-007", "007", "2", "nodes", Format)]
    [InlineData("hostgw-nodes-007", "007", null, "nodes", Format)]
    [InlineData("hostgw-nodes-007", "007", "1", "pods", Label)]
    [InlineData("hostgw-nodes-007", "007", "1", null, Label)]
    public void What_the_digest_writes_is_a_shard_of_format_1(string name, string? shard, string? format, string? label, string answer)
    {
        JsonObject written = Shard(name, shard, format, label);
        Assert.Equal([answer, answer], Policy.Ask(Write("CREATE", Digest, written), Write("UPDATE", Digest, written)));
    }

    [Fact]
    public void A_shard_without_data_is_refused()
    {
        JsonObject shard = Shard("hostgw-nodes-007", "007");
        shard.Remove("data");
        Assert.Equal([Format], Policy.Ask(Write("UPDATE", Digest, shard)));
    }

    [Fact]
    public void The_rest_of_the_namespace_is_not_concerned()
    {
        JsonObject authority = Shard("kube-root-ca.crt", null, null, null), lease = Lease("other");
        string[] answers = Policy.Ask(
            Write("CREATE", Agent, authority), Write("UPDATE", Agent, authority), Write("DELETE", Agent, authority),
            Write("CREATE", Agent, lease), Write("UPDATE", Agent, lease), Write("DELETE", Agent, lease));
        Assert.Equal(Enumerable.Repeat("not concerned", 6), answers);
    }

    // Agents list by that label.
    [Fact]
    public void A_foreign_ConfigMap_does_not_get_the_label_of_shards_and_one_that_has_it_can_be_removed()
    {
        JsonObject foreign = Shard("other", "007");
        Assert.Equal([OnlyTheDigest, OnlyTheDigest, "not concerned"], Policy.Ask(
            Write("CREATE", "kubernetes-admin", foreign), Write("UPDATE", "kubernetes-admin", foreign), Write("DELETE", "kubernetes-admin", foreign)));
    }

    [Fact]
    public void A_shard_stays_one_without_its_label() =>
        Assert.Equal([OnlyTheDigest], Policy.Ask(Write("UPDATE", "kubernetes-admin", Shard("hostgw-nodes-007", "007", "1", null))));

    [Fact]
    public void It_concerns_ConfigMaps_and_Leases_of_that_namespace_and_denies()
    {
        JsonNode spec = Chart.Object("ValidatingAdmissionPolicy", "hostgw-digest", "digest.enabled=true")["spec"]!;
        Assert.Equal("Fail", (string?)spec["failurePolicy"]);
        Assert.Equal(
            """{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"hostgw-digest"}},"resourceRules":[""" +
            """{"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE","UPDATE","DELETE"],"resources":["configmaps"]},""" +
            """{"apiGroups":["coordination.k8s.io"],"apiVersions":["v1"],"operations":["CREATE","UPDATE","DELETE"],"resources":["leases"]}]}""",
            spec["matchConstraints"]!.ToJsonString());
        JsonNode binding = Chart.Object("ValidatingAdmissionPolicyBinding", "hostgw-digest", "digest.enabled=true")["spec"]!;
        Assert.Equal("""{"policyName":"hostgw-digest","validationActions":["Deny"]}""", binding.ToJsonString());
    }

    // The object of a DELETE is null, and of a deleted collection the request names none.
    private static JsonObject Write(string operation, string user, JsonObject changed, bool isGoing = false)
    {
        bool isShard = changed["kind"]!.GetValue<string>() == "ConfigMap";
        var request = new JsonObject
        {
            ["operation"] = operation,
            ["name"] = "",
            ["namespace"] = "hostgw-digest",
            ["resource"] = new JsonObject { ["resource"] = isShard ? "configmaps" : "leases" },
            ["userInfo"] = new JsonObject { ["username"] = user },
        };
        var metadata = new JsonObject { ["name"] = "hostgw-digest" };
        if (isGoing)
            metadata["deletionTimestamp"] = "2026-01-02T03:04:05Z";
        return new()
        {
            ["request"] = request,
            ["object"] = operation == "DELETE" ? null : changed.DeepClone(),
            ["oldObject"] = operation == "CREATE" ? null : changed.DeepClone(),
            ["namespaceObject"] = new JsonObject { ["metadata"] = metadata },
        };
    }

    private static JsonObject Shard(string name, string? shard, string? format = "1", string? label = "nodes")
    {
        JsonObject data = [], labels = [];
        if (format is not null)
            data["format"] = format;
        if (shard is not null)
            data["shard"] = shard;
        if (label is not null)
            labels["hostgw.io/part"] = label;
        return new() { ["kind"] = "ConfigMap", ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = labels }, ["data"] = data };
    }

    private static JsonObject Lease(string name) => new()
    {
        ["kind"] = "Lease",
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = new JsonObject { ["renewTime"] = "2026-01-02T03:04:05.000000Z" },
    };
}
