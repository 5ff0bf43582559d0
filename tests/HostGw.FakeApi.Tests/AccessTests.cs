using System.Security.Authentication;
using k8s;
using k8s.Models;

namespace HostGw.FakeApi.Tests;

/// <summary>TLS, credentials and discovery, as KubernetesClient sees them.</summary>
public sealed class AccessTests : ClientTest
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_kubeconfig_with_a_token_or_a_client_certificate_is_a_user(bool certificate)
    {
        PutNodes("a");
        Kubernetes client = NewClient(new() { User = "someone", ClientCertificate = certificate });
        Assert.Equal("a", Assert.Single((await client.CoreV1.ListNodeAsync(cancellationToken: Cancel)).Items).Name());
        Assert.Equal("someone", Api.Requests[^1].User);
    }

    [Fact]
    public async Task A_token_that_is_not_known_is_401()
    {
        Kubernetes client = NewClient(new() { Token = "wrong" });
        V1Status status = await RefusedAsync(HttpStatusCode.Unauthorized, () => client.CoreV1.ListNodeAsync(cancellationToken: Cancel));
        Assert.Equal("Unauthorized", status.Reason);
    }

    [Fact]
    public async Task What_is_forbidden_is_403_with_the_resource_that_was_asked_for()
    {
        Api.Faults.Forbid(r => r.IsNodeList);
        V1Status status = await RefusedAsync(HttpStatusCode.Forbidden, () => Client.CoreV1.ListNodeAsync(cancellationToken: Cancel));
        Assert.Equal(("Forbidden", "nodes"), (status.Reason, status.Details.Kind));
    }

    [Fact]
    public async Task A_server_of_another_authority_is_not_trusted()
    {
        using Kubernetes before = NewClient();
        Api.RotateAuthority();
        HttpRequestException refused = await Assert.ThrowsAsync<HttpRequestException>(() => before.CoreV1.ListNodeAsync(cancellationToken: Cancel));
        Assert.IsType<AuthenticationException>(refused.InnerException);
    }

    [Fact]
    public async Task Version_and_discovery_are_understood()
    {
        Assert.Equal("v1.36.2", (await Client.Version.GetCodeAsync(Cancel)).GitVersion);
        V1APIResourceList core = await Client.CoreV1.GetAPIResourcesAsync(Cancel);
        Assert.False(core.Resources.Single(r => r.Name == "nodes").Namespaced);
        V1APIGroupList groups = await Client.Apis.GetAPIVersionsAsync(Cancel);
        Assert.Contains("coordination.k8s.io/v1", groups.Groups.Select(g => g.PreferredVersion.GroupVersion));
    }
}
