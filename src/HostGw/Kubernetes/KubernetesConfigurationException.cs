namespace HostGw.Kubernetes;

/// <summary>The way to the API server is described wrongly; trying again does not help.</summary>
internal sealed class KubernetesConfigurationException(string message, Exception? inner = null) : Exception(message, inner);
