namespace HostGw.Kubernetes;

/// <summary>The way to the API server is described wrongly; trying again does not help.</summary>
internal sealed class ApiConfigurationException(string message, Exception? inner = null) : Exception(message, inner);
