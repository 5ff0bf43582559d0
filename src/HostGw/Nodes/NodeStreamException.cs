namespace HostGw.Nodes;

/// <summary>The API server's answer is broken or not what was asked for: nothing of it may be taken for complete.</summary>
internal sealed class NodeStreamException(string message, Exception? inner = null) : Exception(message, inner);
